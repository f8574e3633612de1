# ... before a word was said.
> GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n
<- ECANCELED
