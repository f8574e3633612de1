# Methods are in capitals.
> get /hello HTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 501 Not Implemented\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>501 Not Implemented</title>\n*\n<h1>501 Not Implemented</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
