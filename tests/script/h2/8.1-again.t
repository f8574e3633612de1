# The same head, with content and without: what follows is no part of what was said before.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
< SETTINGS 0 ACK
> HEADERS 1 END_HEADERS | # 83 86 | +:path /count | +:authority a
> DATA 1 END_STREAM | abc
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 1 END_STREAM | 3%0a
> HEADERS 3 END_STREAM END_HEADERS | # 83 86 bf be
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 3 END_STREAM | 0%0a
> HEADERS 5 END_HEADERS | # 83 86 bf be
> DATA 5 END_STREAM | abcd
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 5 END_STREAM | 4%0a
> HEADERS 7 END_STREAM END_HEADERS | # 83 86 bf be
< HEADERS 7 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 7 END_STREAM | 0%0a
> HEADERS 9 END_HEADERS | # 83 86 bf be
> DATA 9 END_STREAM | abcde
< HEADERS 9 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 9 END_STREAM | 5%0a
> HEADERS 11 END_HEADERS | # 83 86 bf be
> DATA 11 | abcd
> DATA 11 END_STREAM | efg
< HEADERS 11 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 2
< DATA 11 END_STREAM | 7%0a
>-
< GOAWAY 0 last=11 NO_ERROR
<- done
