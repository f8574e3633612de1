# ... of the connection: its handlers take nothing.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> 4 x +2 HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /hold | :authority a
> 16 x DATA 1 | *16384
> 16 x DATA 3 | *16384
> 16 x DATA 5 | *16384
> 16 x DATA 7 | *16384
> DATA 1 | x
< SETTINGS 0 ACK
< GOAWAY 0 last=7 FLOW_CONTROL_ERROR
<- end
@ 2s
<- EPROTO
