/*
 * load/load.h: asks a server for the same thing over and over, on many connections, and measures what comes back.
 *
 * Closed loop: each connection asks again as soon as it was answered, so a slow server is asked less. Open loop: requests are
 * due at a fixed rate whatever the server does, and the time of each counts from when it was due: waiting is latency.
 */
#pragma once

#include "load/series.h"
#include "load/target.h"

struct load_progress {
    uint64_t elapsed_ns; /* since the start, warm-up included */
    uint64_t answered, errors, bytes;
    bool warming;
};

struct load_options {
    const struct load_target *target; /* borrowed */
    unsigned connections;
    unsigned depth;   /* requests on their way on each, 1 to LIMIT_LOAD_DEPTH */
    unsigned threads; /* each has its share of connections, rate and requests */
    uint64_t rate;    /* requests a second in all; 0: closed loop */
    uint64_t warmup_ns, duration_ns;
    uint64_t requests; /* end after so many; 0: by time alone */
    unsigned timeout_ms;
    bool fresh; /* a new connection for each request */
    /* Every progress_ns, on the calling thread. NULL: nothing. */
    void (*progress)(void *arg, const struct load_progress *);
    void *arg;
    uint64_t progress_ns;
};

/* Kinds of errors: E(id, name, text). */
#define LOAD_ERRORS(E)                                                                             \
    E(CONNECT, "connect", "could not connect")                                                     \
    E(TIMEOUT, "timeout", "no answer in time")                                                     \
    E(RESET, "reset", "closed before the answer")                                                  \
    E(PROTOCOL, "protocol", "malformed answer")                                                    \
    E(CONTENT, "content", "other bytes than were sent")                                            \
    E(OTHER, "other", "other errors")
enum load_error {
#define E(id, name, text) LOAD_##id,
    LOAD_ERRORS(E)
#undef E
        LOAD_ERROR_COUNT
};
extern const char *const load_error_texts[LOAD_ERROR_COUNT];
extern const char *const load_error_names[LOAD_ERROR_COUNT]; /* for programs */

struct load_result {
    uint64_t elapsed_ns; /* what was measured, without warm-up */
    uint64_t answered;
    uint64_t answered_all; /* warm-up included */
    uint64_t statuses[6];  /* HTTP, by the first digit; [0]: not HTTP */
    uint64_t errors[LOAD_ERROR_COUNT];
    uint64_t bytes_in, bytes_out;
    uint64_t connects; /* connections begun */
    uint64_t retried; /* asked again on a new connection, since the server had closed an idle one */
    uint64_t unfinished;  /* due or asked and not answered when time was up */
    uint64_t overdue;     /* of these, due for LIMIT_LOAD_OVERDUE_MS, and no connection was free */
    uint64_t late_max_ns; /* open loop: how late the generator itself was at worst */
    uint64_t cpu_ns;      /* of the generator */
    bool interrupted;
    struct histogram
        latency; /* answered ones; open loop: unfinished ones too, with the time they waited so far */
    struct series *series; /* owned: load_done() */
};

uint64_t load_errors(const struct load_result *);
/* Answers that say so themselves: 4xx and 5xx. */
uint64_t load_refusals(const struct load_result *);

/* 0, also when SIGINT or SIGTERM ended it early; -ENOMEM, -EMFILE, -EAGAIN: it could not start. Blocks those two signals
 * meanwhile. *out is large: keep it off the stack of threads. load_done() in every case. */
WEIR_CHECKED int load_run(const struct load_options *, struct load_result *out);
void load_done(struct load_result *);
