# An answer without an end ends when the server leaves.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /stream | :authority a
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
< DATA 1 | tick%0a
@ 1s
< DATA 1 | tick%0a
@ 1s
< DATA 1 | tick%0a
= leave stop
< GOAWAY 0 last=2147483647 NO_ERROR
< DATA 1 END_STREAM
< GOAWAY 0 last=1 NO_ERROR
<- end
@ 2s
<- done
