# RFC 9113 section 8.2.3: a cookie that was cut is joined again.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /cookie | :authority a | cookie a=1 | x y | cookie b=2 | cookie c=3
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 14
< DATA 1 END_STREAM | a=1; b=2; c=3%0a
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
