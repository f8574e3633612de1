# Nothing under way: it says which request was the last, and ends. What comes after that is not carried out.
> \0\0\0\x10\0\x01\0\0\0\0\0\x08\0\0\0\0\0\x10\0\0
> \0\0\0\x12\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01=x
< \0\0\0\x10\0\x01\0\0\0\0\x04\0\0\0\0\0\0\x10\0\0
< \0\0\0\x11\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01x
= leave stop
< \0\0\0\x10\x08\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01
<- end
> \0\0\0\x12\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x02=y
@ 999ms
@ 1ms
<- done
