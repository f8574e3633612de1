# An endless answer ends when the place is wanted; it had not said that it is the last, so the client has a moment.
> GET /stream HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< 5\r\ntick\n\r\n
@ 1s
< 5\r\ntick\n\r\n
@ 500ms
= leave stop
< 0\r\n\r\n
@ 199ms
@ 1ms
<- done
