# An HTTP/1.0 client that asks for it keeps its connection where lengths are known, and loses it where not.
> GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n
> GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\nonetwothree
<- end
>-
<- done
