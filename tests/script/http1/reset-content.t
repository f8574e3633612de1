# 205 has no content, whatever the handler gives, and says so.
> GET /reset HTTP/1.1\r\nHost: h\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 205 \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
