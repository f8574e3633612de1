# Its own idle time may be shorter than the second.
= with short-idle
= leave stop
@ 499ms
@ 1ms
<- done
