# Without Range it says nothing; nor where ranges are not for.
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Range: "x"\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\nIf-Range: "x"\r\nRange: bytes=0-1\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
