# A frame with nothing in it.
> \0\0\0\0
< \0\0\0\x10\0\x01\0\0\0\0\x04\0\0\0\0\0\0\x10\0\0
<- EPROTO
