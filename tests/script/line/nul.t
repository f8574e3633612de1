# NUL as the delimiter, as find -print0 writes.
= with nul
> ./a\nb\0./c\0
< ./a\nb\0./c\0
>-
<- done
