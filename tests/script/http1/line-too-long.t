> GET /
>*8200 x
<~ HTTP/1.1 414 URI Too Long\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>414 URI Too Long</title>\n*\n<h1>414 URI Too Long</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
