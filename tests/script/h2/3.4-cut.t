# A preface that is cut off.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> raw PRI * HTTP/2.0\r\n
>-
<- EPROTO
