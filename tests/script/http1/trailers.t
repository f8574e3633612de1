# They are read, bounded, and never become fields of the head.
> POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: Connection\r\n\r\n5;a="b\\"c";d\r\nhello\r\n0\r\nConnection: close\r\nContent-Length: 99\r\nHost: other\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n\r\n5\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
