= with limits
> GET /hello?
>*79 x
> \sHTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 414 URI Too Long\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>414 URI Too Long</title>\n*\n<h1>414 URI Too Long</h1>\n<p>The request line is longer than is allowed.</p>\n</html>\n
<- end
>-
<- EPROTO
