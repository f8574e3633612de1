> TRACE /content HTTP/1.1\r\nHost: h\r\nCookie: secret\r\n\r\n
<~ HTTP/1.1 405 Method Not Allowed\r\nDate: *\r\n
<~ Allow: GET, HEAD\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>405 Method Not Allowed</title>\n*\n<h1>405 Method Not Allowed</h1>\n<p>*</p>\n</html>\n
>-
<- done
