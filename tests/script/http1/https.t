# An https address cannot be had in the clear.
> GET https://h/hello HTTP/1.1\r\nHost: h\r\n\r\n
<~ HTTP/1.1 421 Misdirected Request\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\nConnection: close\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>421 Misdirected Request</title>\n*\n<h1>421 Misdirected Request</h1>\n<p>An https address is answered over TLS only.</p>\n</html>\n
<- end
>-
<- EPROTO
