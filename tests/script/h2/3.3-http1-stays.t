= with clear
# A client of HTTP/1.1 is answered in HTTP/1.1: no frame comes back.
> raw GET /hello HTTP/1.1\r\nHost: a\r\n\r\n
>-
<- done
