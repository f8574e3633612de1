# A head that does not end in time is told so; more bytes do not move the deadline.
> GET / HTTP/1.1\r\n
@ 500ms
> Host: h\r\n
@ 499ms
@ 1ms
<~ HTTP/1.1 408 Request Timeout\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>408 Request Timeout</title>\n*\n<h1>408 Request Timeout</h1>\n<p>The head of the request took too long to arrive.</p>\n</html>\n
<- ETIMEDOUT
