# While the peer does not take, nothing is read from it either: that time does not count.
= with limits
= window 0
> POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n
>*9000 0123456789
@ 11s
= window all
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 100000\r\n\r\n
<*9000 0123456789
@ 9s
>*1000 0123456789
<*1000 0123456789
>-
<- done
