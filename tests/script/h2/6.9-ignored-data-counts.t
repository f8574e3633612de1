# RFC 9113 section 6.9: content that is ignored counts for the connection all the same, which opens again.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a | Upper a
< SETTINGS 0 ACK
< RST_STREAM 1 PROTOCOL_ERROR
@ 1ms
> 32 x DATA 1 | *16384
< WINDOW_UPDATE 0 524288
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
