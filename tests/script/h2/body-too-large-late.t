= with small
# ... not announced.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /count | :authority a
> DATA 1 | 0123456789
> DATA 1 | 0
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /host | :authority a
< SETTINGS 0 ACK
<~ HEADERS 1 | :status 413 | *
<~ DATA 1 END_STREAM * bytes, sum *
<~ HEADERS 3 | :status 200 | *
< DATA 3 END_STREAM | a
@ 500ms
< RST_STREAM 1 NO_ERROR
>-
< GOAWAY 0 last=3 NO_ERROR
<- done
