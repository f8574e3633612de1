# --max-line counts the line's own end; one byte more is refused.
= with limits
> GET /hello?
>*78 x
> \sHTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n
<- done
