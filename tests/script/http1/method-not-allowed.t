# Known, but not for this address; its conditions and ranges are not looked at.
> PUT /content HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nIf-Match: "x"\r\nRange: bytes=99999-\r\n\r\n
<~ HTTP/1.1 405 Method Not Allowed\r\nDate: *\r\n
<~ Allow: GET, HEAD\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>405 Method Not Allowed</title>\n*\n<h1>405 Method Not Allowed</h1>\n<p>*</p>\n</html>\n
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
>-
<- done
