# A bound of the program's own.
= with small
> \0\0\0\x0812345678
< \0\0\0\x0812345678
> \0\0\0\x09123456789
<- EMSGSIZE
