# A handler that does not know of it.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method CONNECT | :protocol websocket | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
<~ HEADERS 1 | :status 501 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length * | content-type text/html; charset=utf-8
<~ DATA 1 END_STREAM * bytes, sum *
@ 500ms
< RST_STREAM 1 NO_ERROR
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
