# Rapid reset (CVE-2023-44487): requests that are taken back at once.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> 1000 x +2 HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /never | :authority a & RST_STREAM 1 CANCEL
< SETTINGS 0 ACK
< GOAWAY 0 last=601 ENHANCE_YOUR_CALM
<- end
@ 2s
<- EPROTO
