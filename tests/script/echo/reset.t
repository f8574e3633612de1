# A broken connection ends at once, and close() hears why.
> abc
< abc
>!
<- ECONNRESET
