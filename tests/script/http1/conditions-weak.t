# If-Match is strong, If-None-Match is weak.
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Match: W/"v1"\r\n\r\n
<~ HTTP/1.1 412 Precondition Failed\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>412 Precondition Failed</title>\n*\n<h1>412 Precondition Failed</h1>\n<p>*</p>\n</html>\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Match: "x", "v1"\r\nRange: bytes=0-0\r\n\r\n
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 0-0/70000\r\nContent-Length: 1\r\n\r\na
>-
<- done
