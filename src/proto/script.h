/*
 * proto/script.h: a talk with a machine, written down: what the peer sends, what it must get, when time passes.
 *
 * tests/script/README.md describes the lines. This file turns text into steps and compares bytes with what a step
 * expects; it runs nothing. The runner in tests/script plays the steps through the simulated driver.
 */
#pragma once

#include <weir/base.h>

enum script_verb {
    SCRIPT_SEND,   /* the peer sends bytes */
    SCRIPT_FINISH, /* the peer will send no more */
    SCRIPT_RESET,  /* the peer's end breaks */
    SCRIPT_EXPECT, /* these bytes come next */
    SCRIPT_MATCH, /* bytes like this pattern come next: * any bytes of one line, ? one byte; \* and \? are themselves */
    SCRIPT_ENDED, /* our side has sent its last byte and ended; input may go on */
    SCRIPT_CLOSED, /* the connection is closed, for this reason */
    SCRIPT_WAIT,   /* time passes */
    SCRIPT_LEAVE,  /* shutdown or the place is wished */
    SCRIPT_WINDOW, /* the peer reads this many bytes more and then stops */
    SCRIPT_WITH,   /* which options of the protocol to use: a name the runner knows */
};

#define SCRIPT_ANY_REASON 1 /* no reason is positive */

struct script_step {
    enum script_verb verb;
    unsigned line;
    uint8_t *bytes; /* SEND, EXPECT, MATCH, WITH; NUL-terminated; owned by the script */
    size_t len;
    uint64_t number; /* WAIT: ns; LEAVE: enum weir_leave; WINDOW: bytes, UINT64_MAX: all */
    int why;         /* CLOSED: WEIR_DONE, -errno, or SCRIPT_ANY_REASON */
};

struct script {
    struct script_step *steps;
    size_t count;
    size_t size;
    size_t bytes; /* all steps together, repeats counted */
};

struct script_error {
    unsigned line;
    const char *text; /* what is wrong, static */
};

/* 0, or -EINVAL with *out_error (no memory is said there too). On success script_done() frees. */
int script_parse(const char *text, size_t len, struct script *out,
                 struct script_error *out_error) WEIR_CHECKED;
void script_done(struct script *);
/* How many bytes at the front of `bytes` are as the pattern says (the fewest that do), or -1. */
ssize_t script_match(const struct script_step *, const uint8_t *bytes, size_t len);
/* "done", "ETIMEDOUT" ...: the name a script uses for a reason, or NULL. */
const char *script_reason(int why);
