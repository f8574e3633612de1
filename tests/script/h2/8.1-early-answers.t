# Of more than eight resets that are put off, the first goes at once.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
< SETTINGS 0 ACK
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 1 END_STREAM | hello%0a
@ 10ms
> HEADERS 3 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 3 END_STREAM | hello%0a
@ 10ms
> HEADERS 5 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 5 END_STREAM | hello%0a
@ 10ms
> HEADERS 7 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 7 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 7 END_STREAM | hello%0a
@ 10ms
> HEADERS 9 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 9 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 9 END_STREAM | hello%0a
@ 10ms
> HEADERS 11 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 11 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 11 END_STREAM | hello%0a
@ 10ms
> HEADERS 13 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 13 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 13 END_STREAM | hello%0a
@ 10ms
> HEADERS 15 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 15 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 15 END_STREAM | hello%0a
@ 10ms
> HEADERS 17 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 17 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 17 END_STREAM | hello%0a
< RST_STREAM 1 NO_ERROR
@ 430ms
< RST_STREAM 3 NO_ERROR
@ 100ms
< RST_STREAM 5 NO_ERROR
< RST_STREAM 7 NO_ERROR
< RST_STREAM 9 NO_ERROR
< RST_STREAM 11 NO_ERROR
< RST_STREAM 13 NO_ERROR
< RST_STREAM 15 NO_ERROR
< RST_STREAM 17 NO_ERROR
>-
< GOAWAY 0 last=17 NO_ERROR
<- done
