# A request under way is answered, and the answer says that it is the last.
> GET /hello HTTP/1.1\r\nHo
= leave busy
> st: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n
<- done
