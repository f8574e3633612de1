# More than that, and the answer says that the connection ends; nothing behind it is read as a request.
> GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n
<- end
> GET /hello HTTP/1.1\r\nHost: h\r\n\r\n
@ 1999ms
@ 1ms
<- done
