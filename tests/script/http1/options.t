# The server as a whole, also where its address has no path; another address is asked as itself.
> OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n
> OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n
> OPTIONS /none HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n
< HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n
<~ HTTP/1.1 404 Not Found\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>404 Not Found</title>\n*\n<h1>404 Not Found</h1>\n<p>*</p>\n</html>\n
>-
<- done
