# RFC 9218 section 10: those that can be used in parts take turns.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=1000000
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a
< SETTINGS 0 ACK
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 70000 | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding | content-type text/x-letters | accept-ranges bytes
<~ DATA 1 65535 bytes, sum *
@ 10ms
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a | priority u=2, i
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 70000 | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding | content-type text/x-letters | accept-ranges bytes
@ 10ms
> HEADERS 5 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a | priority i, u=2
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 70000 | etag "v1" | last-modified Sun, 06 Nov 1994 08:30:00 GMT | vary Accept-Encoding | content-type text/x-letters | accept-ranges bytes
@ 10ms
> WINDOW_UPDATE 0 65536
<~ DATA 3 16384 bytes, sum *
<~ DATA 5 16384 bytes, sum *
<~ DATA 3 16384 bytes, sum *
<~ DATA 5 16384 bytes, sum *
>!
<- ECONNRESET
