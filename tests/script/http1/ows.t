# White space around a value is not of it; empty members of a list do not count.
> GET /hello HTTP/1.1\r\nHost: \t h \t \r\nConnection:\t , ,close ,\t,\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n
<- done
