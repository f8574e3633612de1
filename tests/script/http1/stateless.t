# Nothing of one request is left for the next.
> GET /content HTTP/1.1\r\nHost: h\r\nIf-None-Match: "v1"\r\nRange: bytes=0-1\r\nHost-Not: x\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
