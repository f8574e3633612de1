= with limits
> GET /hello HTTP/1.1\r\nHost: h\r\nA:\s
>*300 x
> \r\n\r\n
<~ HTTP/1.1 431 Request Header Fields Too Large\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>431 Request Header Fields Too Large</title>\n*\n<h1>431 Request Header Fields Too Large</h1>\n<p>The fields of the request are longer than is allowed.</p>\n</html>\n
<- end
>-
<- EPROTO
