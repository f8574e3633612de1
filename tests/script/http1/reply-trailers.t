# RFC 9110 section 6.5.1: trailers go to those who say that they want them.
> GET /sum HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: gzip, trailers\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< 4\r\nword\r\n4\r\nword\r\n0\r\nX-Early: yes\r\nX-Words: 2\r\n\r\n
# Others do without.
> GET /sum HTTP/1.1\r\nHost: a\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< 4\r\nword\r\n4\r\nword\r\n0\r\n\r\n
> GET /ended HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n
< 0\r\nX-End: early\r\n\r\n
>-
<- done
