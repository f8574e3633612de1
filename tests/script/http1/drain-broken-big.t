# Content that is broken does not cut an answer that has no use for it.
> GET /big HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 100000\r\n\r\n
<*10000 0123456789
<- end
>-
<- EPROTO
