> POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 413 Content Too Large\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>413 Content Too Large</title>\n*\n<h1>413 Content Too Large</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
