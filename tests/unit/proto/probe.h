/*
 * tests/unit/proto/probe.h: a machine that counts its calls, checks what must hold in each of them, and does what the test
 * says. Its config is a struct probe; a callback left NULL does the simplest thing.
 */
#pragma once

#include "alloc.h"
#include "drive/sim.h"
#include "tbl/limits.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct probe {
    int (*open)(struct probe *, struct weir_conn *);
    ssize_t (*input)(struct probe *, struct weir_conn *, const uint8_t *,
                     size_t);                                    /* NULL: all of it */
    int (*eof)(struct probe *, struct weir_conn *, size_t rest); /* NULL: finish */
    int (*output)(struct probe *, struct weir_conn *);
    void (*expire)(struct probe *, struct weir_conn *);
    void (*leave)(struct probe *, struct weir_conn *, enum weir_leave);
    void (*close)(struct probe *, struct weir_conn *, int why);
    void *arg; /* the test's own */

    unsigned opens, inputs, eofs, outputs, expires, leaves, closes;
    size_t consumed;
    size_t offered; /* length at the last input() */
    size_t rest;    /* at eof */
    int why;
    bool paused; /* set by the test: input() must not come */
    struct weir_conn *conn;
};

/* A unit of at most 8 bytes; _bare has none of the callbacks that may be NULL; _large needs more state. */
extern const struct weir_protocol probe_protocol, probe_bare, probe_large;

/* A simulation with no faults, and with all of them. */
struct sim *calm(void);
struct sim *rough(uint64_t seed);

void send_text(struct sim_end *, const char *);
void run(struct sim *);
void wait_ms(struct sim *, uint64_t ms);
void assert_output(const struct sim_end *, const char *);
void assert_open(const struct sim_end *);
void assert_closed(const struct sim_end *, int why);
