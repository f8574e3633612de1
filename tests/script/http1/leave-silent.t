# A client that has just connected may have its request on the way.
= leave busy
@ 199ms
= leave stop
@ 1ms
<- done
