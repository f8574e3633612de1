> \0\0\0\x01a
< \0\0\0\x01a
= leave busy
<- end
@ 1s
<- done
