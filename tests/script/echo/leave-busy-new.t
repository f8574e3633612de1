# A client that has not spoken yet is not cut either; a second wish changes nothing.
= leave busy
@ 500ms
= leave stop
> one
< one
@ 1s
<- done
