# RFC 9113 section 8.5: on a tunnel there is DATA, and no head.
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
> HEADERS 1 END_STREAM END_HEADERS | a b
< RST_STREAM 1 PROTOCOL_ERROR
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
