> \0\0\0
>-
<- EPROTO
