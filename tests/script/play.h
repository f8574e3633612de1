/*
 * tests/script/play.h: plays a script through the simulated driver and writes down what came of it.
 *
 * A transcript is all bytes that were sent, and a mark at each barrier of the script (time, leave, window, end, closed):
 * how many bytes had been sent by then, and whether our side had ended or closed. Two runs of one script must have equal
 * transcripts, however their input was cut and whatever their writes took.
 */
#pragma once

#include "drive/sim.h"
#include "proto/script.h"

/* What a folder's scripts talk to. */
struct subject {
    const char *folder;
    const char *name; /* for `= with NAME`; NULL: what a script gets that names none */
    const struct weir_protocol *protocol;
    const void *config;
    /* The world it lives in, made anew for each run; NULL: none. *out_config goes to the protocol. 0 or -errno. */
    int (*begin)(struct sim *, void **out_world, const void **out_config);
    void (*end)(void *world); /* after the simulation is gone */
    bool frames;              /* its scripts name frames of HTTP/2 instead of bytes (frames.h) */
};

/* NULL: there is no such. `name` NULL: the default. */
const struct subject *subject_find(const char *folder, const char *name);

struct mark {
    size_t step;
    size_t len;
    bool ended, closed;
    int why;
};

struct transcript {
    struct mark *marks;
    size_t count;
    uint8_t *bytes;
    size_t len;
};

#define PLAY_NEVER SIZE_MAX

struct play {
    const struct script *script;
    const struct subject *subject;
    struct sim_options sim;
    size_t
        reset_in; /* the peer breaks after so many bytes of its input, and the run ends; PLAY_NEVER */
    size_t reset_out; /* a write fails after so many bytes of output; PLAY_NEVER */
};

/* What is wrong with this run however it was cut, or NULL. *out may be NULL: nothing is written down then. */
const char *play(const struct play *, struct transcript *out);
void transcript_done(struct transcript *);
bool transcript_equal(const struct transcript *, const struct transcript *, size_t *out_at);

/* Compares with what the script expects. NULL: as expected; else what is wrong, with the step and the place in the output. */
const char *judge(const struct script *, const struct transcript *, size_t *out_step,
                  size_t *out_at);
