# RFC 9113 sections 4.1 and 5.5: frames of unknown types are ignored.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> 0x42 0 | anything
> 0x42 7 flags=0xff | anything
> PING 0 | 12345678
< SETTINGS 0 ACK
< PING 0 ACK | 12345678
>-
< GOAWAY 0 last=0 NO_ERROR
<- done
