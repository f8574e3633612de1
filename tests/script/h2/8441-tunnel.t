# RFC 8441: a handler that speaks what was asked for, both ways at a time.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method CONNECT | :protocol echo | :scheme http | :path /tunnel | :authority a
> DATA 1 | abc
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< DATA 1 | abc
@ 1s
> DATA 1 | def
< DATA 1 | def
@ 1s
> DATA 1 END_STREAM
< DATA 1 END_STREAM
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
