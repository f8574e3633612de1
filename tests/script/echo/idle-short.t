= with short-idle
> abc
< abc
@ 499ms
@ 1ms
<- ETIMEDOUT
