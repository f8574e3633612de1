# Less than was promised: the peer must see that it is cut.
> GET /short HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 10\r\n\r\nshort
<- EPROTO
