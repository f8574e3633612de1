# RFC 9218 section 7.1: the reserved bit means nothing.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=1000000
> PRIORITY_UPDATE 0 | # 80 00 00 05 75 3d 31
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 70000 | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding | content-type text/x-letters | accept-ranges bytes
<~ DATA 1 65535 bytes, sum *
@ 10ms
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 70000 | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding | content-type text/x-letters | accept-ranges bytes
@ 10ms
> HEADERS 5 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 70000 | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding | content-type text/x-letters | accept-ranges bytes
@ 10ms
> WINDOW_UPDATE 0 70000
<~ DATA 5 END_STREAM 70000 bytes, sum *
@ 10ms
> WINDOW_UPDATE 0 74465
<~ DATA 1 END_STREAM 4465 bytes, sum *
<~ DATA 3 END_STREAM 70000 bytes, sum *
>-
< GOAWAY 0 last=5 NO_ERROR
<- done
