# Length, most significant byte first, then the message; an empty one too.
> \0\0\0\x03abc\0\0\0\0\0\0\0\x01\n
< \0\0\0\x03abc\0\0\0\0\0\0\0\x01\n
>-
<- done
