# Somebody who speaks another language.
> GET / HTTP/1.1\x0d\n
< \0\0\0\x10\0\x01\0\0\0\0\x04\0\0\0\0\0\0\x10\0\0
<- EMSGSIZE
