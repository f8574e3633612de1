# One byte too long: refused as soon as the length is there.
> \0\0\0\x01a
< \0\0\0\x01a
> \x00\x10\x00\x01
<- EMSGSIZE
