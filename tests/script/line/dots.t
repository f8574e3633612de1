# A program's own functions: a greeting, answers, an end.
= with dots
< hello\n
> 3\n0\n\n10\n
< ...\n\n\n..........\n
> bye\nnot read any more\n
<- done
