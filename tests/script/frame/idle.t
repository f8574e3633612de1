# A whole message must come in time.
= with small
> \0\0\0\x02a
@ 1999ms
> b
< \0\0\0\x02ab
@ 1999ms
> \0
@ 1ms
<- ETIMEDOUT
