# A first line that began while leaving has its time as a whole, too.
= with strip-cr
= leave busy
> a
@ 1999ms
> b
@ 1ms
<- ETIMEDOUT
