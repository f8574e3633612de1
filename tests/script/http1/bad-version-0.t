> GET /hello HTTP/0.9\r\nHost: h\r\n\r\n
<~ HTTP/1.1 505 HTTP Version Not Supported\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>505 HTTP Version Not Supported</title>\n*\n<h1>505 HTTP Version Not Supported</h1>\n<p>The server speaks HTTP/1.1 and HTTP/1.0 here.</p>\n</html>\n
<- end
>-
<- EPROTO
