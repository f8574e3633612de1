# Connection: close is honoured and said, in any case of letters and among other options.
> GET /hello HTTP/1.1\r\nHost: h\r\nConnection: foo, CLOSE\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n
<- done
