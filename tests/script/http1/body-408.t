# Each byte of content moves that deadline.
> POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n
@ 1999ms
> a
@ 1999ms
@ 1ms
<~ HTTP/1.1 408 Request Timeout\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>408 Request Timeout</title>\n*\n<h1>408 Request Timeout</h1>\n<p>*</p>\n</html>\n
<- ETIMEDOUT
