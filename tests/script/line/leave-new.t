# A client that has not spoken (it may have waited in the listen queue) gets its first line answered.
= leave stop
@ 199ms
> on
@ 10s
> e\ntwo\n
< one\n
<- end
>-
<- done
