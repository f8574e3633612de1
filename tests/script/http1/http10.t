# HTTP/1.0 needs no Host, and closes; content of unknown length ends with the connection.
> GET /chunks HTTP/1.0\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\nonetwothree
<- done
