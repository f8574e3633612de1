# 65,536 bytes with the delimiter is the longest line.
>*65535 x
> \n
<*65535 x
< \n
>-
<- done
