# There is nothing that the conditions could be about.
> OPTIONS * HTTP/1.1\r\nHost: h\r\nIf-Match: "x"\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\n\r\n
< HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n
>-
<- done
