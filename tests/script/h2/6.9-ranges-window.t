# A window that has less room than the head of a part: what fits is sent, and the rest when there is more.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=20
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /stored | :authority a | range bytes=10-14, 1000-1004
< SETTINGS 0 ACK
< SETTINGS 0 ACK
<~ HEADERS 1 | :status 206 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length * | *
<~ DATA 1 | %0d%0a--????????????????
@ 1s
> WINDOW_UPDATE 1 1
> WINDOW_UPDATE 1 100000
<~ DATA 1 END_STREAM * bytes, sum *
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
