/*
 * cli/pipe.h: the parts of `weir pipe`: what is seen of a pipeline in words (pipe_words.c), live on a terminal or in lines
 * (pipe_screen.c, pipe_live.c), and at its end (pipe_report.c).
 */
#pragma once

#include "cli/pipe_screen.h"
#include "tbl/limits.h"

#include <weir/pipeline.h>

#include <stdio.h>

/* A pipeline over some time: the whole of it, or the last second. */
struct pipe_sight {
    size_t count;
    const char *const *commands;     /* borrowed: as they were given */
    const struct weir_stage *stages; /* borrowed */
    const struct weir_joint *joints; /* borrowed; NULL: not metered */
    bool lines;                      /* they were counted */
    uint64_t ns;                     /* the time that the joints' counts are of */
};

#define PIPE_NONE       SIZE_MAX
#define PIPE_WORDS_SIZE 256

/* The stage that its neighbours wait for while it waits less than any; PIPE_NONE: none stands out. */
size_t pipe_slowest(const struct pipe_sight *);
/* Shares of the time from 0 to 1 that a stage waited: for the one before it to write, for the one behind it to read. */
double pipe_waits_in(const struct pipe_sight *, size_t index);
double pipe_waits_out(const struct pipe_sight *, size_t index);
/* These write into `text` and return it. "2 (grep)"; the command on one line, cut to `columns`; "waits for 2 (grep) to read". */
const char *pipe_name(const struct pipe_sight *, size_t index, char text[PIPE_WORDS_SIZE]);
const char *pipe_label(const char *command, size_t columns, char text[PIPE_WORDS_SIZE]);
const char *pipe_doing(const struct pipe_sight *, size_t index, size_t slowest,
                       char text[PIPE_WORDS_SIZE]);
/* How it ended. */
const char *pipe_ended(const struct weir_stage *, char text[PIPE_WORDS_SIZE]);

/* --- while it runs --- */

enum pipe_show { PIPE_SHOW_NOTHING, PIPE_SHOW_SCREEN, PIPE_SHOW_LINES };

#define PIPE_MOMENTS 5

struct pipe_live {
    enum pipe_show show;
    struct pipe_screen screen;
    uint64_t start_ns, due_ns; /* due_ns: when to show the next */
    size_t next;               /* the oldest moment, to be written over */
    uint64_t moment_ns[PIPE_MOMENTS];
    struct weir_joint moments[PIPE_MOMENTS][LIMIT_PIPELINE_STAGES];
    struct weir_stage stages[LIMIT_PIPELINE_STAGES];
    struct weir_joint joints[LIMIT_PIPELINE_STAGES];
};

void pipe_live_begin(struct pipe_live *, enum pipe_show, uint64_t now_ns);
/* What is due at this time; UINT64_MAX in due_ns: nothing ever. */
void pipe_live_show(struct pipe_live *, const struct weir_pipeline *, const char *const *commands,
                    bool lines, uint64_t now_ns);
/* Gives the terminal back; a later pipe_live_show() takes it again. */
void pipe_live_pause(struct pipe_live *);

/* --- at its end --- */

struct pipe_end {
    struct pipe_sight sight;
    int status; /* weir's own exit status */
    bool timed_out;
    int signal_number; /* that weir was told to stop by; 0: none */
};

void pipe_report_text(FILE *, const struct pipe_end *);
void pipe_report_json(FILE *, const struct pipe_end *);
