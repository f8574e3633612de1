# The same for an answer that came from a job, in time.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=1000000
> WINDOW_UPDATE 0 1000000
< SETTINGS 0 ACK
< SETTINGS 0 ACK
= window 1000
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /big | :authority a
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /slow | :authority a
<~ HEADERS 1 *
<~ DATA 1 * bytes, sum *
@ 1s
= window 1000
<~ DATA 1 * bytes, sum *
@ 1s
= window 1000
<~ DATA 1 * bytes, sum *
@ 1s
= window 1000
<~ DATA 1 * bytes, sum *
@ 1s
= window all
<~ DATA 1 END_STREAM * bytes, sum *
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:41 GMT | content-length 5
< DATA 3 END_STREAM | slow%0a
>-
< GOAWAY 0 last=3 NO_ERROR
<- done
