> POST /count HTTP/1.1\r\nHost: h\r\nExpect: 100-continue, miracles\r\nContent-Length: 5\r\n\r\n
<~ HTTP/1.1 417 Expectation Failed\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>417 Expectation Failed</title>\n*\n<h1>417 Expectation Failed</h1>\n<p>*</p>\n</html>\n
<- end
>-
<- EPROTO
