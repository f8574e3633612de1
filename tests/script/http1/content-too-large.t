= with small
> POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: fixture\r\nContent-Length: 3\r\n\r\n10\n
> POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n
<~ HTTP/1.1 413 Content Too Large\r\nDate: *\r\nServer: fixture\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>413 Content Too Large</title>\n*\n<h1>413 Content Too Large</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
