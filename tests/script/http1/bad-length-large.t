# Longer than 64 bits can say.
> POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551621\r\n\r\nhello
<~ HTTP/1.1 400 Bad Request\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>400 Bad Request</title>\n*\n<h1>400 Bad Request</h1>\n<p>The Content-Length field is malformed or repeated.</p>\n</html>\n
<- end
>-
<- EPROTO
