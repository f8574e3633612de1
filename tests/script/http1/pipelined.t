# Answers come in the order of requests.
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
> GET /none HTTP/1.1\r\nHost: h\r\n\r\n
> HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n
> GET http://h/chunks?a=b HTTP/1.1\r\nHOST: h:80\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
<~ HTTP/1.1 404 Not Found\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>404 Not Found</title>\n*\n<h1>404 Not Found</h1>\n<p>There is no page at this address.</p>\n</html>\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< 3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n
>-
<- done
