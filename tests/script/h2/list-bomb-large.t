# ... and larger than is read at all.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a | +x *3000 | # be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be be
< SETTINGS 0 ACK
< GOAWAY 0 last=1 ENHANCE_YOUR_CALM
<- end
@ 2s
<- EPROTO
