# Asked to leave, it waits a moment for the first request of one that has just come.
> \0\0\0\x10\0\x01\0\0\0\0\0\x08\0\0\0\0\0\x10\0\0
< \0\0\0\x10\0\x01\0\0\0\0\x04\0\0\0\0\0\0\x10\0\0
= leave busy
@ 100ms
> \0\0\0\x12\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01=x
< \0\0\0\x11\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01x
< \0\0\0\x10\x08\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01
<- end
>-
<- done
