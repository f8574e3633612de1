# What is no date, or two of them, is no condition.
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: tomorrow\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:45:00 GMT\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:45:00 GMT\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:00:00 GMT, Sun, 06 Nov 1994 08:00:00 GMT\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
>-
<- done
