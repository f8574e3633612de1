# HEAD has the fields of GET and nothing behind them, whatever the length.
> HEAD /chunks HTTP/1.1\r\nHost: h\r\n\r\n
> HEAD /big HTTP/1.1\r\nHost: h\r\n\r\n
> HEAD /none HTTP/1.1\r\nHost: h\r\n\r\n
> HEAD /content HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 100000\r\n\r\n
<~ HTTP/1.1 404 Not Found\r\nDate: *\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
>-
<- done
