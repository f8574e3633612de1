# RFC 9218 section 2.1: a client without the old priorities; those it sends all the same are ignored.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0 9=1
> PRIORITY 1 | # 00 00 00 00 ff
> HEADERS 1 HAS_PRIORITY END_STREAM END_HEADERS | # 80 00 00 00 ff | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 1 END_STREAM | hello%0a
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
