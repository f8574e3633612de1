# Asked to leave, it goes after a second of silence, so that nothing that flows is cut.
> one
< one
= leave stop
@ 900ms
> two
< two
@ 999ms
> three
< three
@ 999ms
@ 1ms
<- done
