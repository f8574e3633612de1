# RFC 8441 section 4: a tunnel that speaks a protocol has scheme and path.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method CONNECT | :protocol echo | :scheme http | :authority a
> HEADERS 3 END_HEADERS | :method CONNECT | :protocol echo | :path /tunnel | :authority a
< SETTINGS 0 ACK
< RST_STREAM 1 PROTOCOL_ERROR
< RST_STREAM 3 PROTOCOL_ERROR
>-
< GOAWAY 0 last=3 NO_ERROR
<- done
