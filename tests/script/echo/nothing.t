# A client that says nothing and ends.
>-
<- done
