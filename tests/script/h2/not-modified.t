# 304 ends with its head.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a | if-none-match "v1"
< SETTINGS 0 ACK
< HEADERS 1 END_STREAM | :status 304 | date Sun, 06 Nov 1994 08:49:37 GMT | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
