# The first, the last, from there on; of memory and of a file.
> GET /content HTTP/1.1\r\nHost: h\r\nRange: bytes=0-4\r\n\r\n
> GET /stored HTTP/1.1\r\nHost: h\r\nRange: bytes=-3\r\n\r\n
> GET /stored HTTP/1.1\r\nHost: h\r\nRange: bytes=69998-99999999999999999999\r\n\r\n
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 0-4/70000\r\nContent-Length: 5\r\n\r\nabcde
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 69997-69999/70000\r\nContent-Length: 3\r\n\r\nhij
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 69998-69999/70000\r\nContent-Length: 2\r\n\r\nij
>-
<- done
