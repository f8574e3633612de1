= with small
# More content than is allowed, announced.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /count | :authority a | content-length 11
< SETTINGS 0 ACK
<~ HEADERS 1 | :status 413 | *
<~ DATA 1 END_STREAM * bytes, sum *
@ 500ms
< RST_STREAM 1 NO_ERROR
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
