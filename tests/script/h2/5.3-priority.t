# RFC 9113 section 5.3.2: the old priorities are read and ignored.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS HAS_PRIORITY | # 80 00 00 01 10 | :method GET | :scheme http | :path /hello | :authority a
> PRIORITY 3 | # 00 00 00 01 00
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 1 END_STREAM | hello%0a
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
