> one\ntw
< one\n
>!
<- ECONNRESET
