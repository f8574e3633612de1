# RFC 9113 section 4.3: a field block that cannot be read is a connection error.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | # ff ff ff ff ff ff
< SETTINGS 0 ACK
< GOAWAY 0 last=1 COMPRESSION_ERROR
<- end
@ 2s
<- EPROTO
