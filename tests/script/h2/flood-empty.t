# Frames of content without any (CVE-2019-9518).
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /never | :authority a
> 302 x DATA 1
< SETTINGS 0 ACK
< GOAWAY 0 last=1 ENHANCE_YOUR_CALM
<- end
@ 2s
<- EPROTO
