/* What a stage does and which one is slow, in words. */
#include "cli/pipe.h"

#include <weir/process.h>

#include <errno.h>
#include <string.h>

/* A share of the time below this says nothing: everybody waits a little. */
#define MOST 0.5

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

double pipe_waits_in(const struct pipe_sight *s, size_t index)
{
    if (!s->joints || index == 0)
        return 0;
    return share(s->joints[index - 1].empty_ns, s->joints[index - 1].seen_ns);
}

double pipe_waits_out(const struct pipe_sight *s, size_t index)
{
    if (!s->joints || index + 1 == s->count)
        return 0;
    return share(s->joints[index].full_ns, s->joints[index].seen_ns);
}

static bool is_waited_for(const struct pipe_sight *s, size_t index)
{
    bool before = index > 0 && pipe_waits_out(s, index - 1) >= MOST;
    bool behind = index + 1 < s->count && pipe_waits_in(s, index + 1) >= MOST;
    return before || behind;
}

size_t pipe_slowest(const struct pipe_sight *s)
{
    size_t slowest = PIPE_NONE;
    double least = MOST;
    for (size_t i = 0; i < s->count; i++) {
        double waits = pipe_waits_in(s, i) + pipe_waits_out(s, i);
        if (waits >= least || !is_waited_for(s, i))
            continue;
        least = waits;
        slowest = i;
    }
    return slowest;
}

/* --- texts --- */

const char *pipe_label(const char *command, size_t columns, char text[PIPE_WORDS_SIZE])
{
    bool cut = screen_columns(command) > columns || strlen(command) >= PIPE_WORDS_SIZE;
    size_t len = screen_fit(command, cut ? columns - 3 : columns);
    while (len + 4 > PIPE_WORDS_SIZE)
        len--;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)command[i];
        text[i] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    memcpy(text + len, cut ? "..." : "", cut ? 4 : 1);
    return text;
}

/* The program's own name: the last part of the first word. */
const char *pipe_name(const struct pipe_sight *s, size_t index, char text[PIPE_WORDS_SIZE])
{
    char name[PIPE_WORDS_SIZE];
    const char *command = s->commands[index] + strspn(s->commands[index], " \t\n");
    size_t len = strcspn(command, " \t\n");
    for (size_t i = 0; i < len; i++)
        if (command[i] == '/' && i + 1 < len) {
            command += i + 1;
            len -= i + 1;
            i = (size_t)-1;
        }
    snprintf(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60), command);
    char label[PIPE_WORDS_SIZE];
    snprintf(text, PIPE_WORDS_SIZE, "%zu (%.64s)", index + 1, pipe_label(name, 20, label));
    return text;
}

const char *pipe_ended(const struct weir_stage *stage, char text[PIPE_WORDS_SIZE])
{
    if (stage->cut_off) {
        snprintf(text, PIPE_WORDS_SIZE, "was cut off (SIGPIPE)");
        return text;
    }
    return weir_process_status(stage->status, text, PIPE_WORDS_SIZE);
}

const char *pipe_doing(const struct pipe_sight *s, size_t index, size_t slowest,
                       char text[PIPE_WORDS_SIZE])
{
    char name[PIPE_WORDS_SIZE];
    if (s->stages[index].status != -ETIMEDOUT)
        return pipe_ended(&s->stages[index], text);
    if (index == slowest)
        snprintf(text, PIPE_WORDS_SIZE, "is the slow one");
    else if (pipe_waits_out(s, index) >= MOST)
        snprintf(text, PIPE_WORDS_SIZE, "waits for %.80s to read", pipe_name(s, index + 1, name));
    else if (pipe_waits_in(s, index) >= MOST)
        snprintf(text, PIPE_WORDS_SIZE, "waits for %.80s to write", pipe_name(s, index - 1, name));
    else
        snprintf(text, PIPE_WORDS_SIZE, "works");
    return text;
}
