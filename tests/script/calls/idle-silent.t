# A peer that never says a word.
= with small
< \0\0\0\x10\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0\x10
@ 2s
< \0\0\0\x10\x08\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0
<- end
>-
<- ETIMEDOUT
