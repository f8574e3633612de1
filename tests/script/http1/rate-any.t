# No rate is asked for: only silence ends it.
= with any-rate
> POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n
@ 59s
> a
@ 59s
> b
@ 59s
> c
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:52:34 GMT\r\nContent-Length: 2\r\n\r\n3\n
>-
<- done
