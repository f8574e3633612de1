# A request that is said again, by the same words, means the same until the table has moved.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
< SETTINGS 0 ACK
> HEADERS 1 END_STREAM END_HEADERS | # 82 86 | +:path /host | +:authority a
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 1
< DATA 1 END_STREAM | a
> HEADERS 3 END_STREAM END_HEADERS | # 82 86 bf be
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 1
< DATA 3 END_STREAM | a
> HEADERS 5 END_STREAM END_HEADERS | # 82 86 bf be
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 1
< DATA 5 END_STREAM | a
> HEADERS 7 END_STREAM END_HEADERS | # 82 86 bf | +:authority bb
< HEADERS 7 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 7 END_STREAM | bb
# Now these words say two authorities, and no path.
> HEADERS 9 END_STREAM END_HEADERS | # 82 86 bf be
< RST_STREAM 9 PROTOCOL_ERROR
> HEADERS 11 END_STREAM END_HEADERS | # 82 86 c0 be
< HEADERS 11 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 11 END_STREAM | bb
> HEADERS 13 END_STREAM END_HEADERS | # 82 86 c0 be
< HEADERS 13 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 13 END_STREAM | bb
> HEADERS 15 END_STREAM END_HEADERS | # 82 86 c0 bf
< HEADERS 15 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 1
< DATA 15 END_STREAM | a
# Both are known by now.
> HEADERS 17 END_STREAM END_HEADERS | # 82 86 c0 be
< HEADERS 17 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 17 END_STREAM | bb
> HEADERS 19 END_STREAM END_HEADERS | # 82 86 c0 bf
< HEADERS 19 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 1
< DATA 19 END_STREAM | a
>-
< GOAWAY 0 last=19 NO_ERROR
<- done
