# More than the queue holds.
>*30000 0123456789
<*30000 0123456789
>-
<- done
