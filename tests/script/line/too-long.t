# One byte more is too long; what came before is answered.
> one\n
< one\n
>*65536 x
> \n
<- EMSGSIZE
