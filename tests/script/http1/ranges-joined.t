# What overlaps or nearly touches is one; one that is left needs no boundary.
> GET /content HTTP/1.1\r\nHost: h\r\nRange: bytes=10-14,3-11,500-501,600-601,99999-\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1,3-4,2-2\r\n\r\n
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nAccept-Ranges: bytes\r\n
<~ Content-Type: multipart/byteranges; boundary=????????????????????????\r\nContent-Length: *\r\n\r\n\r\n
<~ --????????????????????????\r\nContent-Type: text/x-letters\r\nContent-Range: bytes 3-14/70000\r\n\r\ndefghijabcde\r\n
<~ --????????????????????????\r\nContent-Type: text/x-letters\r\nContent-Range: bytes 500-601/70000\r\n\r\nabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijab\r\n
<~ --????????????????????????--\r\n
< HTTP/1.1 206 Partial Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 0-4/70000\r\nContent-Length: 5\r\n\r\nabcde
>-
<- done
