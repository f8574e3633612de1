# The host of the target goes before the field.
> GET http://other:81/host HTTP/1.1\r\nHost: h\r\n\r\n
> GET /host HTTP/1.1\r\nHost: h:8080\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 8\r\n\r\nother:81
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 6\r\n\r\nh:8080
>-
<- done
