# RFC 9113 section 6.9.2: a change of the initial window changes those of open streams.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
@ 1s
> SETTINGS 0 4=3
< SETTINGS 0 ACK
< DATA 1 | hel
@ 1s
> SETTINGS 0 4=6
< SETTINGS 0 ACK
< DATA 1 END_STREAM | lo%0a
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
