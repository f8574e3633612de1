# A handler that thinks better of its answer: the client must see that it is not whole.
> GET /cut HTTP/1.1\r\nHost: a\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< 4\r\nword\r\n
<- ECANCELED
