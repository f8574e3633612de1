# A delimiter of two bytes that comes in pieces, and a bound of 16 bytes with it.
= with crlf
> a\r\n\rb\r\n\r\r\n
< a\r\n\rb\r\n\r\r\n
> 12345678901234\r\n
< 12345678901234\r\n
> 123456789012345\r\n
<- EMSGSIZE
