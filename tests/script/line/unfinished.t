# The input ends inside a line: the lines before it were answered.
> one\ntw
< one\n
>-
<- EPROTO
