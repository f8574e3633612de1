# What is sent comes back, and the end of input ends the connection after the last byte.
> hello\r\n
> \x00\xff\x80 any bytes
< hello\r\n\x00\xff\x80 any bytes
@ 10s
> more
< more
>-
<- done
