# RFC 9113 section 4.2: a frame larger than SETTINGS_MAX_FRAME_SIZE.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /count | :authority a
> DATA 1 | *16385
< SETTINGS 0 ACK
< GOAWAY 0 last=1 FRAME_SIZE_ERROR
<- end
@ 2s
<- EPROTO
