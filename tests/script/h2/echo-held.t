# A handler that takes little at a time holds back its client alone.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=1000000
> WINDOW_UPDATE 0 1000000
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /echo | :authority a | content-length 98304
> 5 x DATA 1 | *16384
> DATA 1 END_STREAM | *16384
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 98304 | content-type application/octet-stream
< DATA 1 END_STREAM 98304 bytes, sum a90a9dc5
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
