> GET /never HTTP/1.1\r\nHost: h\r\n\r\n
@ 2999ms
@ 1ms
<~ HTTP/1.1 504 Gateway Timeout\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>504 Gateway Timeout</title>\n*\n<h1>504 Gateway Timeout</h1>\n<p>*</p>\n</html>\n
<- end
@ 2s
<- done
