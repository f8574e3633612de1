# Nothing ever comes back.
> abc\r\n
>*10000 0123456789
@ 30s
> more
>-
<- done
