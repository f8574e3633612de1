> POST /count HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n
< HTTP/1.1 100 Continue\r\n\r\n
@ 1s
> 5\r\nhello\r\n0\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\nContent-Length: 2\r\n\r\n5\n
>-
<- done
