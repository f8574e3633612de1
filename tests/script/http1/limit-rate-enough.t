# 1,000 bytes are worth ten seconds, but no credit beyond the grace is kept.
= with limits
> POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n
>*100 0123456789
@ 9s
>*90 0123456789
@ 9s
>*310 0123456789
@ 9999ms
>*10 0123456789
@ 1s
@ 1ms
<~ HTTP/1.1 408 Request Timeout\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>408 Request Timeout</title>\n*\n<h1>408 Request Timeout</h1>\n<p>The content of the request arrived too slowly.</p>\n</html>\n
<- ETIMEDOUT
