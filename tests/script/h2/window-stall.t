# A client that opens streams and takes nothing.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=0
> 3 x +2 HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
@ 3s
@ 1s
< RST_STREAM 5 CANCEL
< RST_STREAM 3 CANCEL
< RST_STREAM 1 CANCEL
>-
< GOAWAY 0 last=5 NO_ERROR
<- done
