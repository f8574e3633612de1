# A hundred requests in one go.
< SETTINGS 0 3=128 4=262144 6=40960 8=1 9=1
< WINDOW_UPDATE 0 983041
> PREFACE
> SETTINGS 0
> 100 x +2 HEADERS 1 END_STREAM END_HEADERS | :method GET | :scheme http | :path /hello | :authority a
< SETTINGS 0 ACK
< HEADERS 1 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 1 END_STREAM | hello%0a
< HEADERS 3 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 3 END_STREAM | hello%0a
< HEADERS 5 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 5 END_STREAM | hello%0a
< HEADERS 7 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 7 END_STREAM | hello%0a
< HEADERS 9 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 9 END_STREAM | hello%0a
< HEADERS 11 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 11 END_STREAM | hello%0a
< HEADERS 13 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 13 END_STREAM | hello%0a
< HEADERS 15 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 15 END_STREAM | hello%0a
< HEADERS 17 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 17 END_STREAM | hello%0a
< HEADERS 19 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 19 END_STREAM | hello%0a
< HEADERS 21 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 21 END_STREAM | hello%0a
< HEADERS 23 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 23 END_STREAM | hello%0a
< HEADERS 25 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 25 END_STREAM | hello%0a
< HEADERS 27 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 27 END_STREAM | hello%0a
< HEADERS 29 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 29 END_STREAM | hello%0a
< HEADERS 31 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 31 END_STREAM | hello%0a
< HEADERS 33 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 33 END_STREAM | hello%0a
< HEADERS 35 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 35 END_STREAM | hello%0a
< HEADERS 37 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 37 END_STREAM | hello%0a
< HEADERS 39 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 39 END_STREAM | hello%0a
< HEADERS 41 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 41 END_STREAM | hello%0a
< HEADERS 43 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 43 END_STREAM | hello%0a
< HEADERS 45 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 45 END_STREAM | hello%0a
< HEADERS 47 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 47 END_STREAM | hello%0a
< HEADERS 49 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 49 END_STREAM | hello%0a
< HEADERS 51 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 51 END_STREAM | hello%0a
< HEADERS 53 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 53 END_STREAM | hello%0a
< HEADERS 55 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 55 END_STREAM | hello%0a
< HEADERS 57 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 57 END_STREAM | hello%0a
< HEADERS 59 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 59 END_STREAM | hello%0a
< HEADERS 61 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 61 END_STREAM | hello%0a
< HEADERS 63 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 63 END_STREAM | hello%0a
< HEADERS 65 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 65 END_STREAM | hello%0a
< HEADERS 67 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 67 END_STREAM | hello%0a
< HEADERS 69 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 69 END_STREAM | hello%0a
< HEADERS 71 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 71 END_STREAM | hello%0a
< HEADERS 73 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 73 END_STREAM | hello%0a
< HEADERS 75 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 75 END_STREAM | hello%0a
< HEADERS 77 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 77 END_STREAM | hello%0a
< HEADERS 79 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 79 END_STREAM | hello%0a
< HEADERS 81 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 81 END_STREAM | hello%0a
< HEADERS 83 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 83 END_STREAM | hello%0a
< HEADERS 85 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 85 END_STREAM | hello%0a
< HEADERS 87 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 87 END_STREAM | hello%0a
< HEADERS 89 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 89 END_STREAM | hello%0a
< HEADERS 91 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 91 END_STREAM | hello%0a
< HEADERS 93 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 93 END_STREAM | hello%0a
< HEADERS 95 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 95 END_STREAM | hello%0a
< HEADERS 97 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 97 END_STREAM | hello%0a
< HEADERS 99 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 99 END_STREAM | hello%0a
< HEADERS 101 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 101 END_STREAM | hello%0a
< HEADERS 103 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 103 END_STREAM | hello%0a
< HEADERS 105 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 105 END_STREAM | hello%0a
< HEADERS 107 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 107 END_STREAM | hello%0a
< HEADERS 109 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 109 END_STREAM | hello%0a
< HEADERS 111 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 111 END_STREAM | hello%0a
< HEADERS 113 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 113 END_STREAM | hello%0a
< HEADERS 115 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 115 END_STREAM | hello%0a
< HEADERS 117 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 117 END_STREAM | hello%0a
< HEADERS 119 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 119 END_STREAM | hello%0a
< HEADERS 121 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 121 END_STREAM | hello%0a
< HEADERS 123 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 123 END_STREAM | hello%0a
< HEADERS 125 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 125 END_STREAM | hello%0a
< HEADERS 127 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 127 END_STREAM | hello%0a
< HEADERS 129 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 129 END_STREAM | hello%0a
< HEADERS 131 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 131 END_STREAM | hello%0a
< HEADERS 133 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 133 END_STREAM | hello%0a
< HEADERS 135 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 135 END_STREAM | hello%0a
< HEADERS 137 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 137 END_STREAM | hello%0a
< HEADERS 139 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 139 END_STREAM | hello%0a
< HEADERS 141 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 141 END_STREAM | hello%0a
< HEADERS 143 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 143 END_STREAM | hello%0a
< HEADERS 145 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 145 END_STREAM | hello%0a
< HEADERS 147 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 147 END_STREAM | hello%0a
< HEADERS 149 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 149 END_STREAM | hello%0a
< HEADERS 151 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 151 END_STREAM | hello%0a
< HEADERS 153 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 153 END_STREAM | hello%0a
< HEADERS 155 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 155 END_STREAM | hello%0a
< HEADERS 157 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 157 END_STREAM | hello%0a
< HEADERS 159 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 159 END_STREAM | hello%0a
< HEADERS 161 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 161 END_STREAM | hello%0a
< HEADERS 163 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 163 END_STREAM | hello%0a
< HEADERS 165 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 165 END_STREAM | hello%0a
< HEADERS 167 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 167 END_STREAM | hello%0a
< HEADERS 169 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 169 END_STREAM | hello%0a
< HEADERS 171 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 171 END_STREAM | hello%0a
< HEADERS 173 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 173 END_STREAM | hello%0a
< HEADERS 175 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 175 END_STREAM | hello%0a
< HEADERS 177 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 177 END_STREAM | hello%0a
< HEADERS 179 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 179 END_STREAM | hello%0a
< HEADERS 181 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 181 END_STREAM | hello%0a
< HEADERS 183 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 183 END_STREAM | hello%0a
< HEADERS 185 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 185 END_STREAM | hello%0a
< HEADERS 187 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 187 END_STREAM | hello%0a
< HEADERS 189 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 189 END_STREAM | hello%0a
< HEADERS 191 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 191 END_STREAM | hello%0a
< HEADERS 193 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 193 END_STREAM | hello%0a
< HEADERS 195 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 195 END_STREAM | hello%0a
< HEADERS 197 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 197 END_STREAM | hello%0a
< HEADERS 199 | :status 200 | date Sun, 06 Nov 1994 08:49:37 GMT | content-length 6 | content-type text/plain
< DATA 199 END_STREAM | hello%0a
>-
< GOAWAY 0 last=199 NO_ERROR
<- done
