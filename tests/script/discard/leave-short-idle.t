= with short-idle
= leave busy
@ 499ms
@ 1ms
<- done
