# RFC 8441 section 4: :protocol belongs to CONNECT.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a | :protocol websocket
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< RST_STREAM 1 PROTOCOL_ERROR
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 3 END_STREAM | hello%0a
>-
< GOAWAY 0 last=3 NO_ERROR
<- done
