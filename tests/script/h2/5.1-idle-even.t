# RFC 9113 section 5.1: streams of the server are idle, for it opens none.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 5 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
> RST_STREAM 2 CANCEL
< SETTINGS 0 ACK
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 5 END_STREAM | hello%0a
< GOAWAY 0 last=5 PROTOCOL_ERROR
<- end
@ 2s
<- EPROTO
