> GET /denied HTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 403 Forbidden\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>403 Forbidden</title>\n*\n<h1>403 Forbidden</h1>\n<p>*</p>\n</html>\n
>-
<- done
