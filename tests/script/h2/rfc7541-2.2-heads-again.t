# An answer that comes again is packed once; another one between them, or another table, and it is packed anew.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 1 END_STREAM | hello%0a
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 3 END_STREAM | hello%0a
> HEADERS 5 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 5 END_STREAM | hello%0a
> HEADERS 7 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 7 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 7 END_STREAM | x-end early
> HEADERS 9 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 9 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 9 END_STREAM | x-end early
> HEADERS 11 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 11 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 11 END_STREAM | x-end early
> HEADERS 13 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 13 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 13 END_STREAM | hello%0a
> SETTINGS 0 1=0
< SETTINGS 0 ACK
> HEADERS 15 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 15 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 15 END_STREAM | hello%0a
> HEADERS 17 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 17 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 17 END_STREAM | hello%0a
> HEADERS 19 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 19 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 19 END_STREAM | x-end early
> HEADERS 21 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 21 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 21 END_STREAM | x-end early
> SETTINGS 0 1=4096
< SETTINGS 0 ACK
> HEADERS 23 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 23 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 23 END_STREAM | hello%0a
> HEADERS 25 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 25 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 25 END_STREAM | hello%0a
> HEADERS 27 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< HEADERS 27 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 27 END_STREAM | hello%0a
> HEADERS 29 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 29 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 29 END_STREAM | x-end early
> HEADERS 31 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 31 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 31 END_STREAM | x-end early
> HEADERS 33 END_STREAM END_HEADERS | :method GET | :scheme http | :path /ended | :authority a
< HEADERS 33 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< HEADERS 33 END_STREAM | x-end early
>-
< GOAWAY 0 last=33 NO_ERROR
<- done
