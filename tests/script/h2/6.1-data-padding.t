# Padding as long as the frame.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /count | :authority a
> DATA 1 PADDED | # 05 00 00 00 00
< SETTINGS 0 ACK
< GOAWAY 0 last=1 PROTOCOL_ERROR
<- end
@ 2s
<- EPROTO
