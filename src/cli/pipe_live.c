/* The meter while the pipeline runs: four times a second at the bottom of a terminal, else a line a second. */
#include "base/text.h"
#include "cli/pipe.h"
#include "load/amount.h"

#include <string.h>
#include <unistd.h>

#define SCREEN_NS   (WEIR_NS_PER_S / 4)
#define LINES_NS    WEIR_NS_PER_S
#define BAR         10
#define COMMAND_MIN 16
#define COMMAND_MAX 40
#define LINE_REST   54u /* of a line, beside the command */
#define BAR_FROM    80  /* columns of a terminal that has room for the bars */
#define LINES_FROM  100 /* and for lines a second */
#define NEVER       UINT64_MAX

void pipe_live_begin(struct pipe_live *l, enum pipe_show show, uint64_t now_ns)
{
    l->show = show;
    l->screen.fd = -1;
    l->start_ns = now_ns;
    l->next = 0;
    /* Pipelines that are done at once leave the terminal alone. */
    l->due_ns = show == PIPE_SHOW_NOTHING  ? NEVER
                : show == PIPE_SHOW_SCREEN ? now_ns + 2 * SCREEN_NS
                                           : now_ns + LINES_NS;
    for (size_t i = 0; i < PIPE_MOMENTS; i++)
        l->moment_ns[i] = now_ns;
}

static struct weir_joint since(const struct weir_joint *now, const struct weir_joint *then)
{
    return (struct weir_joint){.bytes = now->bytes - then->bytes,
                               .lines = now->lines - then->lines,
                               .held = now->held,
                               .room = now->room,
                               .full_ns = now->full_ns - then->full_ns,
                               .empty_ns = now->empty_ns - then->empty_ns,
                               .seen_ns = now->seen_ns - then->seen_ns};
}

/* What happened since the oldest moment kept, whose place this one takes. */
static uint64_t look(struct pipe_live *l, const struct weir_pipeline *p, uint64_t now_ns)
{
    size_t count = weir_pipeline_count(p);
    size_t at = l->show == PIPE_SHOW_LINES ? 0 : l->next;
    uint64_t ns = now_ns - l->moment_ns[at];
    for (size_t i = 0; i < count; i++)
        l->stages[i] = weir_pipeline_stage(p, i);
    for (size_t i = 0; i + 1 < count; i++) {
        struct weir_joint now = weir_pipeline_joint(p, i);
        l->joints[i] = since(&now, &l->moments[at][i]);
        l->moments[at][i] = now;
    }
    l->moment_ns[at] = now_ns;
    l->next = (l->next + 1) % PIPE_MOMENTS;
    return ns;
}

/* --- on a terminal: a line a stage, with the pipe behind it --- */

static const char *bar(const struct weir_joint *j, char text[BAR + 3])
{
    size_t filled = j->room > 0 ? (j->held * BAR + j->room / 2) / j->room : 0;
    memset(text, ' ', BAR + 2);
    text[0] = '[';
    memset(text + 1, '#', filled < BAR ? filled : BAR);
    text[BAR + 1] = ']';
    text[BAR + 2] = '\0';
    return text;
}

struct layout {
    unsigned command; /* columns */
    bool lines, bars;
};

static struct layout lay_out(unsigned columns, bool lines)
{
    struct layout l = {.lines = lines && columns >= LINES_FROM, .bars = columns >= BAR_FROM};
    unsigned rest = LINE_REST + (l.lines ? 19u : 0u) + (l.bars ? BAR + 3u : 0u);
    l.command = columns > rest + COMMAND_MIN ? columns - rest : COMMAND_MIN;
    if (l.command > COMMAND_MAX)
        l.command = COMMAND_MAX;
    return l;
}

static void print_stage(char *line, size_t size, const struct pipe_sight *s, size_t i,
                        size_t slowest, struct layout l)
{
    char words[PIPE_WORDS_SIZE], number[AMOUNT_MAX], level[BAR + 3], cell[AMOUNT_MAX + 16];
    double seconds = (double)s->ns / 1e9;
    bool piped = i + 1 < s->count;
    struct text t;
    text_init(&t, line, size);
    pipe_label(s->commands[i], l.command, words);
    text_fmt(&t, "%c%2zu %s%*s", i == slowest ? '>' : ' ', i + 1, words,
             (int)(l.command - screen_columns(words)), "");
    snprintf(cell, sizeof(cell), "%s/s",
             piped ? amount_bytes(number, (double)s->joints[i].bytes / seconds) : "");
    text_fmt(&t, " %11s", piped ? cell : "");
    snprintf(cell, sizeof(cell), "%s lines/s",
             piped ? amount_number(number, (double)s->joints[i].lines / seconds) : "");
    if (l.lines)
        text_fmt(&t, " %18s", piped ? cell : "");
    if (l.bars)
        text_fmt(&t, " %*s", BAR + 2, piped ? bar(&s->joints[i], level) : "");
    text_fmt(&t, "  %s", pipe_doing(s, i, slowest, words));
    text_end(&t);
}

/* Where not all stages fit, those around the slow one do. */
static size_t first_of(size_t count, size_t fit, size_t slowest)
{
    if (fit >= count)
        return 0;
    size_t middle = slowest == PIPE_NONE ? count - 1 : slowest;
    size_t first = middle > fit / 2 ? middle - fit / 2 : 0;
    return first + fit < count ? first : count - fit;
}

static void show_screen(struct pipe_live *l, const struct pipe_sight *s, uint64_t now_ns)
{
    static char text[LIMIT_PIPELINE_STAGES + 1][PIPE_WORDS_SIZE * 2];
    const char *lines[LIMIT_PIPELINE_STAGES + 1];
    size_t slowest = pipe_slowest(s);
    unsigned height = (unsigned)s->count + 1;
    if (l->screen.fd < 0 && screen_open(&l->screen, STDERR_FILENO, height) < 0)
        return;
    size_t fit = l->screen.height - 1;
    size_t first = first_of(s->count, fit, slowest);
    struct layout layout = lay_out(l->screen.columns, s->lines);
    snprintf(text[0], sizeof(text[0]), "weir pipe: %.1f s", (double)(now_ns - l->start_ns) / 1e9);
    lines[0] = text[0];
    for (size_t i = 0; i < s->count; i++) {
        size_t stage = (first + i) % s->count;
        print_stage(text[i + 1], sizeof(text[0]), s, stage, slowest, layout);
        lines[i + 1] = text[i + 1];
    }
    unsigned marked = slowest == PIPE_NONE ? height : (unsigned)(slowest - first + 1);
    screen_show(&l->screen, lines, height, marked);
}

/* --- elsewhere: one line, no escape codes --- */

static void show_line(const struct pipe_live *l, const struct pipe_sight *s, uint64_t now_ns)
{
    char line[4096], name[PIPE_WORDS_SIZE], amount[AMOUNT_MAX];
    double seconds = (double)s->ns / 1e9;
    struct text t;
    text_init(&t, line, sizeof(line));
    text_fmt(&t, "weir pipe: %.1f s", (double)(now_ns - l->start_ns) / 1e9);
    size_t slowest = pipe_slowest(s);
    if (slowest != PIPE_NONE)
        text_fmt(&t, "; %s is the slow one", pipe_name(s, slowest, name));
    for (size_t i = 0; i + 1 < s->count; i++) {
        const struct weir_joint *j = &s->joints[i];
        text_fmt(&t, "; %zu to %zu: %s/s", i + 1, i + 2,
                 amount_bytes(amount, (double)j->bytes / seconds));
        if (s->lines)
            text_fmt(&t, ", %s lines/s", amount_number(amount, (double)j->lines / seconds));
        text_fmt(&t, ", %zu %% full", j->room > 0 ? j->held * 100 / j->room : 0);
    }
    fprintf(stderr, "%s\n", text_end(&t));
}

void pipe_live_show(struct pipe_live *l, const struct weir_pipeline *p, const char *const *commands,
                    bool lines, uint64_t now_ns)
{
    if (now_ns < l->due_ns)
        return;
    l->due_ns = now_ns + (l->show == PIPE_SHOW_SCREEN ? SCREEN_NS : LINES_NS);
    const struct pipe_sight sight = {.count = weir_pipeline_count(p),
                                     .commands = commands,
                                     .stages = l->stages,
                                     .joints = l->joints,
                                     .lines = lines,
                                     .ns = look(l, p, now_ns)};
    if (l->show == PIPE_SHOW_SCREEN)
        show_screen(l, &sight, now_ns);
    else
        show_line(l, &sight, now_ns);
}

void pipe_live_pause(struct pipe_live *l)
{
    screen_close(&l->screen);
}
