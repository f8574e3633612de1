# Parts of coded content cannot be told from coded parts.
> GET /coded HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0,500-500\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Encoding: gzip\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
>-
<- done
