# But not for long if it stays silent.
= leave busy
@ 199ms
@ 1ms
<- done
