/*
 * load/plot.h: curves as inline SVG, coloured by the style sheet of load/page.h: no scripts, no other files, and the same
 * drawing for light and dark, wide and narrow.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#define PLOT_SERIES_MAX 8

enum plot_unit { PLOT_NUMBER, PLOT_NS, PLOT_BYTES, PLOT_NINES };

struct plot_axis {
    const char *label;
    enum plot_unit unit;
    bool log;
    bool auto_log;       /* log if the values lie far apart */
    const double *ticks; /* NULL: chosen */
    unsigned tick_count;
};

struct plot_series {
    const char *name;
    unsigned style;      /* colour and mark, from 0 */
    const double *x, *y; /* a y that is not above 0 is left out where the axis is log */
    unsigned count;
};

struct plot {
    const char *title;
    struct plot_axis x, y;
    const struct plot_series *series;
    unsigned count;
    bool marks;  /* points are marked, and say their values */
    bool legend; /* below */
};

void plot_write(FILE *, const struct plot *);
/* Names with their lines and marks. */
void plot_legend(FILE *, const struct plot_series *, unsigned count);
