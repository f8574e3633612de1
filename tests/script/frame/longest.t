# 1 MiB is the longest message.
> \x00\x10\x00\x00
>*65536 0123456789abcdef
< \x00\x10\x00\x00
<*65536 0123456789abcdef
>-
<- done
