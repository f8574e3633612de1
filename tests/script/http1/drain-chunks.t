# In chunks the bound is noticed late: the answer is out, the connection ends without a reset.
> GET /hello HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n
>*30000 a\r\n0123456789\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n
<- end
>-
<- EPROTO
