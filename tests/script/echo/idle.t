# Silence ends it after a minute; any byte begins the minute anew.
@ 59999ms
> a
< a
@ 59999ms
> b
< b
@ 59999ms
@ 1ms
<- ETIMEDOUT
