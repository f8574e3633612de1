# Bars a contender; one colour each, the same in all plots of docs/bench.
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.9 noborder
set border 3
set grid y lc rgb "#dddddd"
set xtics nomirror scale 0
set ytics nomirror
set datafile missing "?"
set linetype 1 lc rgb "#9aa0a6"
set linetype 2 lc rgb "#0b6e4f"
set linetype 3 lc rgb "#e0a458"
set linetype 4 lc rgb "#4f7cac"
set logscale y

set terminal svg size 760,300 font "sans-serif,12" background "#ffffff"
set output folder."/ipc.svg"
set multiplot layout 1,2
set bmargin 3.5
set key top right
set xrange [-0.6:1.3]
set title "messages of 64 bytes, million a second"
set yrange [0.01:500]
set boxwidth 0.9
plot for [i=2:5] data."/small" using i:xtic(1) title columnheader(i)
set title "round trip of 64 bytes, µs"
set yrange [0.05:500]
set xrange [*:*]
unset key
plot for [i=2:5] data."/trips" using i:xtic(1) title columnheader(i)
unset multiplot

set terminal svg size 1100,380 font "sans-serif,12" background "#ffffff"
set output folder."/throughput.svg"
set key outside top horizontal
unset title
set ylabel "GB a second"
set yrange [0.005:200]
plot for [i=2:5] data."/sizes" using i:xtic(1) title columnheader(i)
