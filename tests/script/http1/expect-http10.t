# An HTTP/1.0 client cannot mean it, and would take 100 Continue for the answer.
> POST /count HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n
@ 1s
> hello
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\nContent-Length: 2\r\nConnection: close\r\n\r\n5\n
<- done
