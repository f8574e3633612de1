# RFC 9110 section 8.6: a length that is known is told, that of nothing too.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method POST | :scheme http | :path /echo | :authority a | content-length 0
< SETTINGS 0 ACK
< HEADERS 1 END_STREAM | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 0 | content-type application/octet-stream
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
