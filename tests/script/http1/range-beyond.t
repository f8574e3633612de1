> GET /content HTTP/1.1\r\nHost: h\r\nRange: bytes=70000-\r\n\r\n
> GET /content HTTP/1.1\r\nHost: h\r\nRange: bytes=99999999999999999999-,-0\r\n\r\n
<~ HTTP/1.1 416 Range Not Satisfiable\r\nDate: *\r\n
<~ Content-Range: bytes \*/70000\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>416 Range Not Satisfiable</title>\n*\n<h1>416 Range Not Satisfiable</h1>\n<p>*</p>\n</html>\n
<~ HTTP/1.1 416 Range Not Satisfiable\r\nDate: *\r\n
<~ Content-Range: bytes \*/70000\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: *\r\n\r\n
<~ <!DOCTYPE html>\n*\n*\n*\n<title>416 Range Not Satisfiable</title>\n*\n<h1>416 Range Not Satisfiable</h1>\n<p>*</p>\n</html>\n
>-
<- done
