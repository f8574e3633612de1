/* What came of a pipeline: a table for people, one line of JSON for programs. */
#include "cli/pipe.h"
#include "load/amount.h"

#include <weir/process.h>

#include <signal.h>
#include <string.h>

/* --- text --- */

enum { STAGE, ENDED, TIME, CPU, BYTES_ON, LINES_ON, RATE, COLUMNS };

#define CELL 160

typedef char cell[CELL];

static const char *const headings[COLUMNS] = {"stage", "ended", "time",    "CPU",
                                              "wrote", "lines", "a second"};

static void fill_row(cell *row, const struct pipe_sight *s, size_t i)
{
    const struct weir_stage *stage = &s->stages[i];
    char text[PIPE_WORDS_SIZE], amount[AMOUNT_MAX];
    snprintf(row[STAGE], CELL, "%2zu %.140s", i + 1, pipe_label(s->commands[i], 32, text));
    snprintf(row[ENDED], CELL, "%.100s", pipe_ended(stage, text));
    snprintf(row[TIME], CELL, "%s", amount_time(amount, (double)stage->wall_ns));
    snprintf(row[CPU], CELL, "%s",
             amount_time(amount, (double)(stage->user_ns + stage->system_ns)));
    if (!s->joints || i + 1 == s->count)
        return;
    double seconds = (double)s->ns / 1e9;
    snprintf(row[BYTES_ON], CELL, "%s", amount_bytes(amount, (double)s->joints[i].bytes));
    if (s->lines)
        snprintf(row[LINES_ON], CELL, "%s", amount_count(amount, s->joints[i].lines));
    snprintf(row[RATE], CELL, "%s", amount_bytes(amount, (double)s->joints[i].bytes / seconds));
}

/* 0: nothing in it but its heading, it is left out. */
static size_t width_of(cell (*rows)[COLUMNS], size_t count, size_t column)
{
    size_t width = 0;
    for (size_t r = 1; r < count; r++) {
        size_t columns = screen_columns(rows[r][column]);
        width = columns > width ? columns : width;
    }
    size_t heading = screen_columns(rows[0][column]);
    return width > 0 && heading > width ? heading : width;
}

/* Numbers are set to the right; no line ends in spaces. */
static void print_row(FILE *f, cell *row, const size_t *widths)
{
    size_t pad = 0;
    for (size_t c = 0; c < COLUMNS; c++) {
        if (widths[c] == 0)
            continue;
        size_t rest = widths[c] - screen_columns(row[c]);
        bool right = c >= TIME;
        pad += 2 + (right ? rest : 0);
        if (row[c][0]) {
            fprintf(f, "%*s%s", (int)pad, "", row[c]);
            pad = 0;
        }
        pad += right ? 0 : rest;
    }
    fputc('\n', f);
}

static void print_rows(FILE *f, cell (*rows)[COLUMNS], size_t count)
{
    size_t widths[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++)
        widths[c] = width_of(rows, count, c);
    for (size_t r = 0; r < count; r++)
        print_row(f, rows[r], widths);
}

static unsigned percent(double share)
{
    return (unsigned)(share * 100 + 0.5);
}

static void print_slowest(FILE *f, const struct pipe_sight *s)
{
    char name[PIPE_WORDS_SIZE], other[PIPE_WORDS_SIZE];
    size_t slowest = pipe_slowest(s);
    if (slowest == PIPE_NONE)
        return;
    fprintf(f, "  %s was the slow one:", pipe_name(s, slowest, name));
    if (slowest > 0)
        fprintf(f, " %s waited for it %u %% of the time", pipe_name(s, slowest - 1, other),
                percent(pipe_waits_out(s, slowest - 1)));
    if (slowest + 1 < s->count)
        fprintf(f, "%s %s waited for it %u %% of the time", slowest > 0 ? "," : "",
                pipe_name(s, slowest + 1, other), percent(pipe_waits_in(s, slowest + 1)));
    fputc('\n', f);
}

void pipe_report_text(FILE *f, const struct pipe_end *end)
{
    static cell rows[LIMIT_PIPELINE_STAGES + 1][COLUMNS];
    const struct pipe_sight *s = &end->sight;
    char amount[AMOUNT_MAX];
    fprintf(f, "weir pipe: %zu stage%s, %s%s\n", s->count, s->count == 1 ? "" : "s",
            amount_time(amount, (double)s->ns), end->timed_out ? ", stopped by --timeout" : "");
    for (size_t c = 0; c < COLUMNS; c++)
        snprintf(rows[0][c], CELL, c == STAGE ? "   %s" : "%s", headings[c]);
    for (size_t i = 0; i < s->count; i++)
        fill_row(rows[i + 1], s, i);
    print_rows(f, rows, s->count + 1);
    print_slowest(f, s);
}

/* --- JSON --- */

/* Bytes of a well-formed character of UTF-8 (RFC 3629 section 4) that is not a NUL; 0: it is none. */
static unsigned utf8_at(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned len = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    if (c[0] > 0xf4 || (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    for (unsigned i = 1; i < len; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* A command may be any bytes, a JSON text may not. */
static void write_string(FILE *f, const char *text)
{
    fputc('"', f);
    while (*text) {
        unsigned len = utf8_at(text);
        unsigned char c = (unsigned char)*text;
        if (len == 0)
            fputs("\\ufffd", f);
        else if (c < 0x20 || c == '"' || c == '\\')
            fprintf(f, "\\u%04x", c);
        else
            fwrite(text, 1, len, f);
        text += len > 0 ? len : 1;
    }
    fputc('"', f);
}

static double seconds_of(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void write_signal(FILE *f, int number)
{
    const char *name = sigabbrev_np(number);
    fputs(", \"signal\": ", f);
    if (number == 0)
        fputs("null", f);
    else if (name)
        fprintf(f, "\"SIG%s\"", name);
    else
        fprintf(f, "\"%d\"", number);
}

static void write_how(FILE *f, const struct weir_stage *stage)
{
    bool exited = stage->status >= 0 && stage->status < WEIR_SIGNALLED;
    if (exited)
        fprintf(f, ", \"status\": %d", stage->status);
    else
        fputs(", \"status\": null", f);
    write_signal(f, stage->status > WEIR_SIGNALLED ? stage->status - WEIR_SIGNALLED : 0);
    fprintf(f, ", \"cut_off\": %s", stage->cut_off ? "true" : "false");
}

static void write_stage(FILE *f, const struct pipe_sight *s, size_t i)
{
    const struct weir_stage *stage = &s->stages[i];
    fputs(i > 0 ? ", {\"command\": " : "{\"command\": ", f);
    write_string(f, s->commands[i]);
    write_how(f, stage);
    fprintf(f, ", \"seconds\": %.6f, \"user_seconds\": %.6f, \"system_seconds\": %.6f",
            seconds_of(stage->wall_ns), seconds_of(stage->user_ns), seconds_of(stage->system_ns));
    if (s->joints)
        fprintf(f, ", \"waits_to_read\": %.4f, \"waits_to_write\": %.4f", pipe_waits_in(s, i),
                pipe_waits_out(s, i));
    fputc('}', f);
}

static void write_pipe(FILE *f, const struct pipe_sight *s, size_t i)
{
    const struct weir_joint *j = &s->joints[i];
    fprintf(f, "%s{\"bytes\": %llu", i > 0 ? ", " : "", (unsigned long long)j->bytes);
    if (s->lines)
        fprintf(f, ", \"lines\": %llu", (unsigned long long)j->lines);
    fprintf(f, ", \"room\": %zu, \"full_seconds\": %.3f, \"empty_seconds\": %.3f}", j->room,
            seconds_of(j->full_ns), seconds_of(j->empty_ns));
}

void pipe_report_json(FILE *f, const struct pipe_end *end)
{
    const struct pipe_sight *s = &end->sight;
    size_t slowest = pipe_slowest(s);
    fprintf(f, "{\"status\": %d, \"seconds\": %.6f, \"timed_out\": %s", end->status,
            seconds_of(s->ns), end->timed_out ? "true" : "false");
    write_signal(f, end->signal_number);
    if (slowest == PIPE_NONE)
        fputs(", \"slowest\": null", f);
    else
        fprintf(f, ", \"slowest\": %zu", slowest + 1);
    fputs(", \"stages\": [", f);
    for (size_t i = 0; i < s->count; i++)
        write_stage(f, s, i);
    fputs("], \"pipes\": ", f);
    if (s->joints) {
        fputc('[', f);
        for (size_t i = 0; i + 1 < s->count; i++)
            write_pipe(f, s, i);
        fputc(']', f);
    } else {
        fputs("null", f);
    }
    fputs("}\n", f);
}
