# RFC 9110 section 13.2.2, step by step: each pair has the earlier one decide.
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Match: "x"\r\nIf-None-Match: "v1"\r\n\r\n
<~ HTTP/1.1 412 Precondition Failed\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>412 Precondition Failed</title>\n*\n<h1>412 Precondition Failed</h1>\n<p>*</p>\n</html>\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Match: "v1"\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:00:00 GMT\r\nIf-None-Match: "v1"\r\n\r\n
< HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:00:00 GMT\r\nIf-None-Match: "v1"\r\n\r\n
<~ HTTP/1.1 412 Precondition Failed\r\nDate: *\r\n
<~ Content-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>412 Precondition Failed</title>\n*\n<h1>412 Precondition Failed</h1>\n<p>*</p>\n</html>\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-None-Match: "v1"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT\r\nRange: bytes=0-1\r\n\r\n
< HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nIf-None-Match: "x"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:45:00 GMT\r\nIf-Range: "x"\r\nRange: bytes=0-1\r\n\r\n
< HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n
< ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\nContent-Type: text/x-letters\r\nAccept-Ranges: bytes\r\nContent-Length: 70000\r\n\r\n
<*7000 abcdefghij
>-
<- done
