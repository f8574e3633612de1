# A peer that stops reading is not read from either: the queue is bounded. It goes on when the peer does.
= window 1000
>*30000 0123456789
<*100 0123456789
@ 30s
= window all
<*29900 0123456789
>-
<- done
