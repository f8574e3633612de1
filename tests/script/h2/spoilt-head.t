# Part of a head was packed, and the rest cannot be: the tables differ from now on, so no other head can follow.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
< SETTINGS 0 ACK
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /spoilt | :authority a
< RST_STREAM 1 INTERNAL_ERROR
< GOAWAY 0 last=1 INTERNAL_ERROR
<- end
@ 2s
<- ENOMEM
