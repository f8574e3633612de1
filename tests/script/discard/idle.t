@ 59s
> a
@ 59999ms
@ 1ms
<- ETIMEDOUT
