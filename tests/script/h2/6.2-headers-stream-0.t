# RFC 9113 section 6.2: HEADERS belongs to a stream.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 0 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< GOAWAY 0 last=0 PROTOCOL_ERROR
<- end
@ 2s
<- EPROTO
