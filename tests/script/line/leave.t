# Between lines it leaves at once: this side ends, then what still comes is thrown away, for a second.
> one\n
< one\n
= leave stop
<- end
> two\n
@ 999ms
@ 1ms
<- done
