> \0\0\0\x01a\0\0\0\x05abcd
< \0\0\0\x01a
>-
<- EPROTO
