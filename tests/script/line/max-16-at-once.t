# Sixteen bytes without the delimiter cannot become a line any more: nothing is waited for.
= with crlf
> 123456789012345
@ 1s
> 6
<- EMSGSIZE
