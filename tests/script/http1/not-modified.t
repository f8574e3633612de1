# Only what a cache can use, and nothing behind it.
> GET /content HTTP/1.1\r\nHost: h\r\nIf-None-Match: "x", W/"v1"\r\n\r\n
> HEAD /content HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: Sunday, 06-Nov-94 08:30:00 GMT\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\n\r\n
< HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\n\r\n
< HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
