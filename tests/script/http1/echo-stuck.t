# A peer that sends and does not read: what it may send is bounded, and in the end it is cut off.
= window 0
> POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n
>*100000 0123456789
@ 3999ms
@ 1s
<- ETIMEDOUT
