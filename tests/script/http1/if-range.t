# What the client has is still so: the rest, without the fields it has. Else the whole.
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Range: "v1"\r\nRange: bytes=5-6\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Range: Sun, 06 Nov 1994 08:30:00 GMT\r\nRange: bytes=7-7\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Range: W/"v1"\r\nRange: bytes=5-6\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Range: Sun, 06 Nov 1994 08:29:59 GMT\r\nRange: bytes=5-6\r\n\r\n
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Range: bytes 5-6/70000\r\nContent-Length: 2\r\n\r\nfg
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Range: bytes 7-7/70000\r\nContent-Length: 1\r\n\r\nh
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
>-
<- done
