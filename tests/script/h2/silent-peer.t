# A stream that may be silent for long: its peer is asked now and then whether it is there.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> HEADERS 1 END_HEADERS | :method CONNECT | :protocol echo | :scheme http | :path /tunnel | :authority a
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT
@ 3s
> DATA 1 | abc
< DATA 1 | abc
@ 3s
@ 1s
< PING 0 | %00%00%00%00%00%00%00%00
@ 3s
> PING 0 ACK | \0\0\0\0\0\0\0\0
@ 3s
@ 1s
< PING 0 | %00%00%00%00%00%00%00%00
@ 3s
@ 1s
<- ETIMEDOUT
