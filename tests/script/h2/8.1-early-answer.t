# A client that ends its request behind the answer, in one way or another, is not reset.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 1 END_STREAM | hello%0a
@ 100ms
> DATA 1 END_STREAM | late
> HEADERS 3 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 3 END_STREAM | hello%0a
@ 100ms
> RST_STREAM 3 CANCEL
> HEADERS 5 END_HEADERS | :method POST | :scheme http | :path /hello | :authority a
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 5 END_STREAM | hello%0a
@ 100ms
> HEADERS 5 END_STREAM END_HEADERS | x y
@ 2s
>-
< GOAWAY 0 last=5 NO_ERROR
<- done
