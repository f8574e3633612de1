# The longest content, and one byte more: refused as soon as the length is there.
= with small
> \0\0\0\x10\0\x01\0\0\0\0\0\x08\0\0\0\0\0\x10\0\0
> \0\0\0 \x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01=xxxxxxxxxxxxxxx
< \0\0\0\x10\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0\x10
< \0\0\0\x1f\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01xxxxxxxxxxxxxxx
> \0\0\0\x21
<- EMSGSIZE
