# A change that makes a window larger than 2^31-1.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=100
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /never | :authority a
> WINDOW_UPDATE 1 0x7fffff00
> SETTINGS 0 4=1000
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< GOAWAY 0 last=1 FLOW_CONTROL_ERROR
<- end
@ 2s
<- EPROTO
