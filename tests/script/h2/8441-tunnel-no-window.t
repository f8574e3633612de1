# A stream that may be silent for long, and not be read for long. Once its handler has said all, who takes nothing of it is given up.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0 4=0
< SETTINGS 0 ACK
> HEADERS 1 END_HEADERS | :method CONNECT | :protocol echo | :scheme http | :path /tunnel | :authority a
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
> DATA 1 | abc
@ 3s
> PING 0 | 12345678
< PING 0 ACK | 12345678
@ 3s
> DATA 1 END_STREAM | def
> WINDOW_UPDATE 1 3
< DATA 1 | abc
@ 3s
> PING 0 | 12345678
< PING 0 ACK | 12345678
@ 1s
< RST_STREAM 1 CANCEL
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
