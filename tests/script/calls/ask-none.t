# A peer that takes no requests, or short ones only, is asked none.
> \0\0\0\x10\0\x01\0\0\0\0\0\0\0\0\0\0\0\x10\0\0
> \0\0\0\x12\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01?a
< \0\0\0\x10\0\x01\0\0\0\0\x04\0\0\0\0\0\0\x10\0\0
< \0\0\0\x1a\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01EOPNOTSUPP
>-
<- done
