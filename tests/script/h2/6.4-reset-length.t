# A RST_STREAM of another length than 4.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /never | :authority a
> RST_STREAM 1 | # 00 00 00
< SETTINGS 0 ACK
< GOAWAY 0 last=1 FRAME_SIZE_ERROR
<- end
@ 2s
<- EPROTO
