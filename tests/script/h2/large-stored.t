# Content by reference, in many frames.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=1000000
> WINDOW_UPDATE 0 1000000
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /stored | :authority a
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 70000 | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding | content-type text/x-letters | accept-ranges bytes
< DATA 1 END_STREAM 70000 bytes, sum b6ff7055
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
