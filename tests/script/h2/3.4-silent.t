# Who says nothing is gone after the time for a head.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
@ 1s
<- done
