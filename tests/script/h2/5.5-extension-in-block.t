# RFC 9113 section 5.5: a frame nobody knows does not come between those of a field block.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM | :method GET
> 200 1 | abc
< SETTINGS 0 ACK
< GOAWAY 0 last=0 PROTOCOL_ERROR
<- end
@ 2s
<- EPROTO
