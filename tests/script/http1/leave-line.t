# A newcomer, asked to leave, says an empty line.
= leave busy
> \r\n
@ 199ms
@ 1ms
<- done
