# A handler that ticks, and a peer that opens no window: it is given up for that.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
< SETTINGS 0 ACK
> SETTINGS 0 4=0
< SETTINGS 0 ACK
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /alarm | :authority a
<~ HEADERS 1 *
@ 3900ms
@ 1100ms
< RST_STREAM 1 CANCEL
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
