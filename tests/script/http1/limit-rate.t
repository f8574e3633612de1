# A byte now and then keeps body-timeout away, but not min-rate: 100 bytes a second, after 10 s of grace.
= with limits
> POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n
@ 4s
> a
@ 4s
> b
@ 2019ms
@ 1ms
<~ HTTP/1.1 408 Request Timeout\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>408 Request Timeout</title>\n*\n<h1>408 Request Timeout</h1>\n<p>The content of the request arrived too slowly.</p>\n</html>\n
<- ETIMEDOUT
