# The program ends the connection with a reason of its own.
= with dots
> 2\nx\n5\n
< hello\n..\n
<- EBADMSG
