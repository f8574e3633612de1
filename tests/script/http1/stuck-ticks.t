# A peer that takes nothing of an endless answer is given up, though there is always more for it (send_ms is 4 s).
= window 10
> GET /stream HTTP/1.1\r\nHost: h\r\n\r\n
< HTTP/1.1 2
@ 3900ms
@ 1100ms
<- ETIMEDOUT
