# Each line comes back, empty ones too, whatever else is in it.
> one\ntwo\n\n
> thr
> ee\r\n\x00\xff\n
< one\ntwo\n\nthree\r\n\x00\xff\n
>-
<- done
