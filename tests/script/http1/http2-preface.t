> PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n
<~ HTTP/1.1 505 HTTP Version Not Supported\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>505 HTTP Version Not Supported</title>\n*\n<h1>505 HTTP Version Not Supported</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
