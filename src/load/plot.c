#include "load/plot.h"

#include "load/amount.h"
#include "load/page.h"

#include <math.h>
#include <string.h>

/* The drawing's own units; the page scales it. */
#define WIDTH  480
#define HEIGHT 290
#define LEFT   68
#define RIGHT  468
#define TOP    10
#define BOTTOM 246

#define TICKS_MAX 24
#define FAR_APART 30 /* auto_log: the largest value over the smallest */

struct scale {
    const struct plot_axis *axis;
    bool log;
    double min, max;
    double from, to; /* in the drawing */
    double ticks[TICKS_MAX];
    unsigned count;
};

static double place(const struct scale *s, double value)
{
    double part =
        s->log ? log(value / s->min) / log(s->max / s->min) : (value - s->min) / (s->max - s->min);
    return s->from + part * (s->to - s->from);
}

/* --- ticks --- */

static void add_tick(struct scale *s, double at)
{
    double slack = (s->max - s->min) * 1e-9;
    if (s->count < TICKS_MAX && at >= s->min - slack && at <= s->max + slack)
        s->ticks[s->count++] = at;
}

/* 1, 2 or 5 times a power of ten. */
static double round_step(double step)
{
    double power = pow(10, floor(log10(step)));
    double part = step / power;
    return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * power;
}

/* KiB, MiB or GiB, so that steps of bytes are round ones too. */
static double unit_size(const struct scale *s, double value)
{
    double size = 1;
    while (s->axis->unit == PLOT_BYTES && value >= 1024 * size)
        size *= 1024;
    return size;
}

static void linear_ticks(struct scale *s)
{
    double unit = unit_size(s, s->max);
    double step = round_step((s->max - s->min) / unit / 5) * unit;
    s->max = ceil(s->max / step - 1e-9) * step;
    for (double at = ceil(s->min / step) * step; s->count < TICKS_MAX && at <= s->max * (1 + 1e-9);
         at += step)
        add_tick(s, at);
}

/* Powers of two, of four where there are many. */
static void log_ticks_of_bytes(struct scale *s)
{
    double factor = s->max / s->min > 256 ? 4 : 2;
    s->min = exp2(floor(log2(s->min) + 1e-9));
    s->max = s->min * pow(factor, ceil(log(s->max / s->min) / log(factor) - 1e-9));
    for (double power = s->min; power <= s->max * (1 + 1e-9); power *= factor)
        add_tick(s, power);
}

/* Powers of ten; 2 and 5 of them too where there are few. */
static void log_ticks(struct scale *s)
{
    bool few = s->max / s->min < 200;
    s->min = pow(10, floor(log10(s->min) + 1e-9));
    if (!few)
        s->max = pow(10, ceil(log10(s->max) - 1e-9));
    for (double power = s->min; power <= s->max * (1 + 1e-9); power *= 10) {
        add_tick(s, power);
        if (few) {
            add_tick(s, 2 * power);
            add_tick(s, 5 * power);
        }
    }
}

static void set_ticks(struct scale *s)
{
    if (s->max <= s->min)
        s->max = s->min > 0 ? s->min * 2 : 1;
    if (s->axis->ticks)
        for (unsigned i = 0; i < s->axis->tick_count; i++)
            add_tick(s, s->axis->ticks[i]);
    else if (s->log && s->axis->unit == PLOT_BYTES)
        log_ticks_of_bytes(s);
    else if (s->log)
        log_ticks(s);
    else
        linear_ticks(s);
}

/* --- scales --- */

static bool usable(const struct scale *s, double value)
{
    return isfinite(value) && (!s->log || value > 0);
}

static void stretch(struct scale *s, double value)
{
    if (!isfinite(value) || value <= 0)
        return;
    s->min = s->min > 0 && s->min < value ? s->min : value;
    s->max = s->max > value ? s->max : value;
}

static void set_scales(const struct plot *p, struct scale *x, struct scale *y)
{
    *x = (struct scale){.axis = &p->x, .log = p->x.log, .from = LEFT, .to = RIGHT};
    *y = (struct scale){.axis = &p->y, .log = p->y.log, .from = BOTTOM, .to = TOP};
    for (unsigned i = 0; i < p->count; i++) {
        for (unsigned k = 0; k < p->series[i].count; k++) {
            stretch(x, p->series[i].x[k]);
            stretch(y, p->series[i].y[k]);
        }
    }
    y->log |= p->y.auto_log && y->min > 0 && y->max / y->min > FAR_APART;
    if (!y->log || y->min <= 0)
        y->min = y->log ? 1 : 0;
    if (!x->log)
        x->min = 0;
    set_ticks(x);
    set_ticks(y);
}

/* --- words --- */

/* "512 KiB", "2 MiB", "0.5 MiB". */
static const char *bytes_text(char *text, double value)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    unsigned i = 0;
    for (; i < 4 && value >= 1000; i++)
        value /= 1024;
    amount_short(text, value);
    size_t len = strlen(text);
    snprintf(text + len, AMOUNT_MAX - len, "%s", value > 0 ? units[i] : "");
    return text;
}

static const char *tick_text(char *text, enum plot_unit unit, double value)
{
    switch (unit) {
    case PLOT_NS:
        amount_short(text, value < 1e6 ? value / 1e3 : value < 1e9 ? value / 1e6 : value / 1e9);
        snprintf(text + strlen(text), AMOUNT_MAX - strlen(text), "%s",
                 value == 0    ? ""
                 : value < 1e6 ? " µs"
                 : value < 1e9 ? " ms"
                               : " s");
        return text;
    case PLOT_BYTES:
        return bytes_text(text, value);
    case PLOT_NINES: /* 1 / (1 - p): 10 is p90 */
        snprintf(text, AMOUNT_MAX, "p%.*f", value < 1000 ? 0 : (int)(log10(value) + 1e-6) - 2,
                 100 * (1 - 1 / value));
        return value <= 1 ? "min" : text;
    default:
        return amount_short(text, value);
    }
}

static const char *value_text(char *text, enum plot_unit unit, double value)
{
    switch (unit) {
    case PLOT_NS:
        return amount_time(text, value);
    case PLOT_BYTES:
        return amount_bytes(text, value);
    case PLOT_NINES:
        return tick_text(text, unit, value);
    default:
        return amount_number(text, value);
    }
}

/* --- the drawing --- */

static void draw_axes(FILE *f, const struct plot *p, const struct scale *x, const struct scale *y)
{
    char text[AMOUNT_MAX];
    for (unsigned i = 0; i < y->count; i++) {
        double at = place(y, y->ticks[i]);
        fprintf(f, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, at, RIGHT);
        fprintf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 6, at + 4,
                tick_text(text, p->y.unit, y->ticks[i]));
    }
    for (unsigned i = 0; i < x->count; i++) {
        double at = place(x, x->ticks[i]);
        fprintf(f, "<path class=\"axis\" d=\"M%.1f %dv4\"/>", at, BOTTOM);
        fprintf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", at, BOTTOM + 18,
                tick_text(text, p->x.unit, x->ticks[i]));
    }
    fprintf(f, "<path class=\"axis\" d=\"M%d %dH%d\"/>\n", LEFT, BOTTOM, RIGHT);
    fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + RIGHT) / 2, HEIGHT - 6);
    page_text(f, p->x.label);
    fputs("</text>\n", f);
}

static void draw_mark(FILE *f, unsigned style, double x, double y)
{
    static const char *const shapes[] = {
        "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0", /* circle */
        "m-3.2 -3.2h6.4v6.4h-6.4z",                     /* square */
        "m0 -4.2l4 7h-8z",                              /* triangle */
        "m0 -4.6l4.6 4.6l-4.6 4.6l-4.6 -4.6z",          /* diamond */
        "m0 4.2l4 -7h-8z",                              /* triangle, point down */
        "m-3.4 -3.4l6.8 6.8m0 -6.8l-6.8 6.8",           /* cross */
        "m0 -4.4v8.8m-4.4 -4.4h8.8",                    /* plus */
    };
    style %= sizeof(shapes) / sizeof(*shapes);
    fprintf(f, "<path class=\"mark s%u\" d=\"M%.1f %.1f%s\"", style, x, y, shapes[style]);
}

static void draw_line(FILE *f, const struct plot_series *s, const struct scale *x,
                      const struct scale *y)
{
    bool begun = false;
    fprintf(f, "<path class=\"line s%u\" d=\"", s->style % 7);
    for (unsigned i = 0; i < s->count; i++) {
        bool draw = usable(x, s->x[i]) && usable(y, s->y[i]);
        if (draw)
            fprintf(f, "%s%.1f %.1f", begun ? "L" : "M", place(x, s->x[i]), place(y, s->y[i]));
        begun = draw;
    }
    fputs("\"/>\n", f);
}

static void draw_marks(FILE *f, const struct plot *p, const struct plot_series *s,
                       const struct scale *x, const struct scale *y)
{
    char at[AMOUNT_MAX], value[AMOUNT_MAX];
    for (unsigned i = 0; i < s->count; i++) {
        if (!usable(x, s->x[i]) || !usable(y, s->y[i]))
            continue;
        draw_mark(f, s->style, place(x, s->x[i]), place(y, s->y[i]));
        fputs("><title>", f);
        page_text(f, s->name);
        fprintf(f, ", %s: %s</title></path>\n", value_text(at, p->x.unit, s->x[i]),
                value_text(value, p->y.unit, s->y[i]));
    }
}

void plot_legend(FILE *f, const struct plot_series *series, unsigned count)
{
    fputs("<ul class=\"legend\">\n", f);
    for (unsigned i = 0; i < count; i++) {
        fprintf(f,
                "<li><svg viewBox=\"0 0 34 14\" aria-hidden=\"true\"><path class=\"line s%u\" "
                "d=\"M1 7H33\"/>",
                series[i].style % 7);
        draw_mark(f, series[i].style, 17, 7);
        fputs("/></svg>", f);
        page_text(f, series[i].name);
        fputs("</li>\n", f);
    }
    fputs("</ul>\n", f);
}

void plot_write(FILE *f, const struct plot *p)
{
    struct scale x, y;
    set_scales(p, &x, &y);
    fputs("<figure>\n", f);
    fputs("<figcaption>", f);
    page_text(f, p->title);
    fprintf(f,
            "</figcaption>\n<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
            WIDTH, HEIGHT);
    page_text(f, p->title);
    fputs("\">\n", f);
    draw_axes(f, p, &x, &y);
    for (unsigned i = 0; i < p->count; i++)
        draw_line(f, &p->series[i], &x, &y);
    for (unsigned i = 0; p->marks && i < p->count; i++)
        draw_marks(f, p, &p->series[i], &x, &y);
    fputs("</svg>\n", f);
    if (p->legend)
        plot_legend(f, p->series, p->count);
    fputs("</figure>\n", f);
}
