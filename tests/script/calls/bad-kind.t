# A kind nobody knows, refused before its content has come.
> \0\0\0\x10\0\x01\0\0\0\0\0\x08\0\0\0\0\0\x10\0\0
> \0\0\0\x10\x09\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01
< \0\0\0\x10\0\x01\0\0\0\0\x04\0\0\0\0\0\0\x10\0\0
<- EPROTO
