# The same where the handler has a deadline each second.
= window 10
> GET /alarm HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 2
@ 3900ms
@ 1100ms
<- ETIMEDOUT
