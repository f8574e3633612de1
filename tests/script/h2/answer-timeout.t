# A handler that does nothing.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /never | :authority a
< SETTINGS 0 ACK
@ 2s
@ 1s
<~ HEADERS 1 | :status 504 | date Sun, 06 Nov 1994 08:49:40 GMT | content-length * | content-type text/html; charset=utf-8
<~ DATA 1 END_STREAM * bytes, sum *
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
