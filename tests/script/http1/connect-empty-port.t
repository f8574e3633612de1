> CONNECT h: HTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 400 Bad Request\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>400 Bad Request</title>\n*\n<h1>400 Bad Request</h1>\n<p>The request target is malformed.</p>\n</html>\n
<- end
>-
<- EPROTO
