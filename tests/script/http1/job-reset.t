# The client goes when it has its answer; the runner lets it go at any other time.
> GET /slow HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\nslow\n
>!
<- ECONNRESET
