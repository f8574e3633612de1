# RFC 9113 section 5.1.2: more streams at once than were allowed are refused.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> 129 x +2 HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /never | :authority a
< SETTINGS 0 ACK
< RST_STREAM 257 REFUSED_STREAM
>!
<- ECONNRESET
