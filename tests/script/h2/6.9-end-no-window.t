# RFC 9113 section 6.9.1: the end of an answer needs no window.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0 4=5
< SETTINGS 0 ACK
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /stream | :authority a
<~ HEADERS 1 *
< DATA 1 | tick%0a
@ 500ms
= leave stop
< GOAWAY 0 last=2147483647 NO_ERROR
< DATA 1 END_STREAM
< GOAWAY 0 last=1 NO_ERROR
<- end
@ 2s
<- done
