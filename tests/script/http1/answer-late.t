# The handler's own deadline, and the answer it gives then.
> GET /late HTTP/1.1\r\nHost: h\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
@ 999ms
@ 1ms
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\nContent-Length: 5\r\n\r\nlate\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
