# Memory of an idle connection, a bar a server.
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.9 noborder
set border 3
set grid y lc rgb "#dddddd"
unset xtics
set ytics nomirror
set key outside right
set datafile missing "?"
set linetype 1 lc rgb "#9aa0a6"
set linetype 2 lc rgb "#0b6e4f"
set linetype 3 lc rgb "#e0a458"
set linetype 4 lc rgb "#4f7cac"
set linetype 5 lc rgb "#b56576"
set terminal svg size 480,300 font "sans-serif,12" background "#ffffff"
set output folder."/idle.svg"
set ylabel "bytes of memory an idle connection"
set yrange [0:*]
plot for [i=3:6] data."/idle" using i title columnheader(i)
