# A line under way is still answered, and those after it are not.
> one\ntw
< one\n
= leave busy
@ 500ms
> o\nthree\n
< two\n
<- end
>-
<- done
