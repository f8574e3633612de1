# Two plots of the same shape: a group of bars a row, a bar a server.
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.9 noborder
set border 3
set grid y lc rgb "#dddddd"
set xtics nomirror scale 0
set ytics nomirror
set key outside top horizontal
set datafile missing "?"
set linetype 1 lc rgb "#9aa0a6"
set linetype 2 lc rgb "#0b6e4f"
set linetype 3 lc rgb "#e0a458"
set linetype 4 lc rgb "#4f7cac"
set linetype 5 lc rgb "#b56576"
set terminal svg size 960,380 font "sans-serif,12" background "#ffffff"

set output folder."/cpu.svg"
set ylabel "CPU a request, nginx = 1"
set yrange [0:*]
plot for [i=2:6] data."/cpu" using i:xtic(1) title columnheader(i)

if (latency) {
    set output folder."/latency.svg"
    set ylabel "99th percentile, µs"
    set logscale y
    set yrange [10:*]
    plot for [i=2:6] data."/latency" using i:xtic(1) title columnheader(i)
}
