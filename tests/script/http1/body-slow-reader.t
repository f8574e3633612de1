# A peer that has to take before it can send: when it has taken all, its time begins anew.
= with limits
= window 0
> POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n
>*4000 0123456789
@ 12s
= window 30119
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 50000\r\n\r\n
<*3000 0123456789
@ 4s
= window all
<*1000 0123456789
@ 10s
>*1000 0123456789
<*1000 0123456789
>-
<- done
