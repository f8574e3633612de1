> \0\0\0\x01a\0\0\0\x02b
< \0\0\0\x01a
= leave stop
> c\0\0\0\x01d
< \0\0\0\x02bc
<- end
>-
<- done
