# A peer that takes nothing: its idle time passes, and the last bytes get ten seconds more, not for ever.
= with short-idle
= window 10
> 0123456789abcdef
< 0123456789
@ 500ms
@ 9999ms
@ 1ms
<- ETIMEDOUT
