# A handler wants no answer, and says no code: the client is told all the same.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
< SETTINGS 0 ACK
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /noerror | :authority a
< RST_STREAM 1 CANCEL
>-
< GOAWAY 0 last=1 NO_ERROR
<- done
