# ... or until the peer counts as dead.
= with small
< \0\0\0\x10\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0\x10
= window 0
> \0\0\0\x10\0\x01\0\0\0\0\0\x08\0\0\0\0\0\x10\0\0
> \0\0\0\x12\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01=x
@ 2s
@ 999ms
@ 1ms
<- ETIMEDOUT
