# Content that nobody wanted is read past, within a bound, and the connection goes on.
> GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n
>*10000 GET / HTTP
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
