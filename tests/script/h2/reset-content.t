# 205 has no content and says so.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /reset | :authority a
< SETTINGS 0 ACK
< HEADERS 1 END_STREAM | :status 205 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 0
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
