# A whole line must come in time: single bytes do not buy more of it.
= with strip-cr
> abc
@ 1999ms
> d\n
< abcd\n
@ 1s
> e
@ 999ms
> f
@ 1ms
<- ETIMEDOUT
