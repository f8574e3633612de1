# Nothing under way for too long: it says goodbye first. A half of a message is nothing.
= with small
> \0\0\0\x10\0\x01\0\0\0\0\0\x08\0\0\0\0\0\x10\0\0
< \0\0\0\x10\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0\x10
@ 1999ms
> \0\0\0\x12\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01=x
< \0\0\0\x11\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01x
@ 1s
> \0\0
@ 999ms
@ 1ms
< \0\0\0\x10\x08\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01
<- end
@ 1s
<- ETIMEDOUT
