# No tunnel; and what a client may have sent into it is not a request.
> CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 404 Not Found\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>404 Not Found</title>\n*\n<h1>404 Not Found</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- done
