# Five field lines are allowed.
= with limits
> GET /hello HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
> GET /hello HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n
<~ HTTP/1.1 431 Request Header Fields Too Large\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>431 Request Header Fields Too Large</title>\n*\n<h1>431 Request Header Fields Too Large</h1>\n<p>The request has more fields than is allowed.</p>\n</html>\n
<- end
>-
<- EPROTO
