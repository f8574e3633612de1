# A field that no answer can have is refused to its handler, and those behind it are as they should be.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
< SETTINGS 0 ACK
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /long-name | :authority a
> HEADERS 3 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
<~ HEADERS 1 | :status 500 | *
<~ DATA 1 END_STREAM *
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 3 END_STREAM | hello%0a
>-
< GOAWAY 0 last=3 NO_ERROR
<- done
