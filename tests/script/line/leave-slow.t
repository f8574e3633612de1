# The last answer waits for a slow peer.
= window 3
> one\ntw
< one
= leave stop
> o\n
@ 9s
= window all
< \ntwo\n
<- end
>-
<- done
