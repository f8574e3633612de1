# One CR before the delimiter is no part of the message; others are.
= with strip-cr
> a\r\nb\n\r\n\r\r\nc\rd\n
< a\nb\n\n\r\nc\rd\n
>-
<- done
