# Far more messages than fit one turn.
>*5000 \0\0\0\x05hello\0\0\0\0
<*5000 \0\0\0\x05hello\0\0\0\0
>-
<- done
