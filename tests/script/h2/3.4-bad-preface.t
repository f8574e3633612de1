# RFC 9113 section 3.4: an invalid preface is a connection error.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> raw PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n
< GOAWAY 0 last=0 PROTOCOL_ERROR
<- end
@ 2s
<- EPROTO
