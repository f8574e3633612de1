# Bytes above ASCII are opaque; fields nobody knows are ignored.
> GET /hello HTTP/1.1\r\nHost: h\r\nX-Odd: \x80\xff\xc3\x28 "q\\"\r\nX_Under.score!: 1\r\nContent_Length: 99\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
