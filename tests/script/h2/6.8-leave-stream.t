# RFC 9113 section 6.8: what was on its way at the first GOAWAY is still answered; an endless answer is told at once that the server leaves.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /late | :authority a
< SETTINGS 0 ACK
= leave stop
< GOAWAY 0 last=2147483647 NO_ERROR
@ 100ms
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /stream | :authority a
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< DATA 3 END_STREAM
@ 150ms
< GOAWAY 0 last=3 NO_ERROR
@ 750ms
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:38 GMT | content-length 5
< DATA 1 END_STREAM | late%0a
< GOAWAY 0 last=3 NO_ERROR
<- end
@ 2s
<- done
