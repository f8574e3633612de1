# A client that never speaks is let go without a word.
@ 999ms
@ 1ms
<- done
