= with small
> POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n
<~ HTTP/1.1 413 Content Too Large\r\nDate: *\r\nServer: fixture\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>413 Content Too Large</title>\n*\n<h1>413 Content Too Large</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
