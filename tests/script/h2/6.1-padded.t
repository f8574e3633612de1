# Padding is no content.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /echo | :authority a
> DATA 1 padding=10 | abc
> DATA 1 padding=0 | def
> DATA 1 END_STREAM padding=255
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-type application/octet-stream
< DATA 1 END_STREAM | abcdef
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
