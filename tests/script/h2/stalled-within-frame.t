# A peer that takes nothing, within a frame that it has begun: there is no room to complain, and it is waited for until it is given up.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> SETTINGS 0 4=1000000
> WINDOW_UPDATE 0 1000000
< SETTINGS 0 ACK
< SETTINGS 0 ACK
= window 1
> HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /content | :authority a
> HEADERS 3 END_HEADERS | :method POST | :scheme http | :path /hold | :authority a
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
> 200 x +0 PING 0 | abcdefgh & DATA 3 | aaaaaaa
@ 900ms
@ 200ms
