# An empty line that ends after the wish to leave is no new reason to wait.
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 200 OK\r\n
<~ Date: *\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
> \r
= leave stop
> \n
@ 199ms
@ 1ms
<- done
