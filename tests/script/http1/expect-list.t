# In any case of letters, more than once, with empty members.
> POST /count HTTP/1.1\r\nHost: h\r\nExpect: ,100-Continue,\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n
< HTTP/1.1 100 Continue\r\n\r\n
@ 1s
> hello
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\nContent-Length: 2\r\n\r\n5\n
>-
<- done
