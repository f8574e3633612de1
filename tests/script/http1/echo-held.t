# The handler cannot give back what it has taken before the end: the peer is held back, and the handler is late.
> POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n
>*100 0123456789
> \r\n0\r\n\r\n
@ 2999ms
@ 1ms
<~ HTTP/1.1 504 Gateway Timeout\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>504 Gateway Timeout</title>\n*\n<h1>504 Gateway Timeout</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- done
