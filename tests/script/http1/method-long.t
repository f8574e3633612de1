# Longer than any method there is: 501, although the line is too long as well.
>*9000 M
<~ HTTP/1.1 501 Not Implemented\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>501 Not Implemented</title>\n*\n<h1>501 Not Implemented</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
