# RFC 9113 section 6.5.3: the values of one frame are taken in their order.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=0 4=6
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 1 END_STREAM | hello%0a
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
