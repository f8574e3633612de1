# RFC 9113 section 7: error codes that nobody knows are like others.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method POST | :scheme http | :path /echo | :authority a
> RST_STREAM 1 4711
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
> GOAWAY 0 last=0 4712
< SETTINGS 0 ACK
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 3 END_STREAM | hello%0a
< GOAWAY 0 last=3 NO_ERROR
<- done
