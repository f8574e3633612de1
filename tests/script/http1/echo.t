# Content goes to the handler and back, by length and in chunks.
> POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n
>*200 0123456789
> POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n
> 5\r\nhello\r\n00B;name="va;lue" ; x\r\n, my world!\r\n0\r\nTrailer: value\r\nOther:\r\n\r\n
> POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 2000\r\n\r\n
<*200 0123456789
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n
< 10\r\nhello, my world!\r\n0\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n
>-
<- done
