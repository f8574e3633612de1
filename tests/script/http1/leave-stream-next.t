# What comes after the wish that the place be left is answered; an endless answer is told at once.
> GET /stream HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< 5\r\ntick\n\r\n
@ 1s
< 5\r\ntick\n\r\n
> GET /stream HTTP/1.1\r\nHost: h\r\n\r\n
= leave stop
< 0\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n
< 0\r\n\r\n
<- done
