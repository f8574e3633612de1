# Windows open again as content is taken.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /count | :authority a
> 8 x DATA 1 | *16384
< SETTINGS 0 ACK
< WINDOW_UPDATE 1 131072
@ 1s
> 8 x DATA 1 | *16384
< WINDOW_UPDATE 1 131072
@ 1s
> DATA 1 END_STREAM | x
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:39 GMT | content-length 7
< DATA 1 END_STREAM | 262145%0a
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
