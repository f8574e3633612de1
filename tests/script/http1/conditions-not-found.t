# A condition does not come before a failure that is there without it.
> GET /none HTTP/1.1\r\nHost: h\r\nIf-Match: "x"\r\nIf-None-Match: *\r\n\r\n
<~ HTTP/1.1 404 Not Found\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>404 Not Found</title>\n*\n<h1>404 Not Found</h1>\n<p>*</p>\n</html>\n
>-
<- done
