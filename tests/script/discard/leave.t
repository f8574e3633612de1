> a
= leave stop
@ 999ms
> b
@ 999ms
@ 1ms
<- done
