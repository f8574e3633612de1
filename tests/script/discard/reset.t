> abc
>!
<- ECONNRESET
