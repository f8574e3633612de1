> GET /host HTTP/1.1\r\nHOST:h\r\nconnection:CLOSE\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 1\r\nConnection: close\r\n\r\nh
<- done
