# A peer that takes nothing for four seconds is cut off; one that takes some is not.
= window 1000
> GET /file HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 70000\r\n\r\n
<*92 abcdefghij
< a
@ 3999ms
= window 10
< bcdefghija
@ 3999ms
@ 1001ms
<- ETIMEDOUT
