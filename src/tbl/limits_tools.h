/*
 * tbl/limits_tools.h: bounds of load and bench. Included by tbl/limits.h.
 */
#pragma once

/* --- load and bench --- */
#define LIMIT_LOAD_CONNECTIONS 65000               /* ports of one address, and memory for each */
#define LIMIT_LOAD_DEPTH       LIMIT_HTTP_PIPELINE /* requests on their way on one connection */
#define LIMIT_LOAD_THREADS     64                  /* each fills a core; servers have fewer */
#define LIMIT_LOAD_RATE        10000000            /* requests a second: more than sockets carry */
#define LIMIT_LOAD_REQUEST                                                                         \
    (1024 * 1024) /* bytes of one request, its content included; also of an echoed block */
#define LIMIT_LOAD_TIMEOUT_MS  10000 /* default of --timeout: nobody waits longer for a page */
#define LIMIT_LOAD_DURATION_S  86400 /* --duration and --warm-up; also what bounds --requests */
#define LIMIT_LOAD_RETRY_MS    20    /* before connecting again where the last try gave no answer */
#define LIMIT_LOAD_OVERDUE_MS  500 /* due so long and not sent: not just the last moment was busy */
#define LIMIT_LOAD_TICK_NS     10000000 /* the generator looks at its clock this often at least */
#define LIMIT_LOAD_TICK_MIN_NS 20000    /* ... and at most, when requests are due at a rate */
#define LIMIT_LOAD_SLICES      64 /* of a run, for plots over time: as many as a plot shows apart */
#define LIMIT_BENCH_POINTS     16 /* --clients: numbers of clients, a server start each */
#define LIMIT_BENCH_CLIENTS    4096 /* the largest of them */
#define LIMIT_BENCH_PROCESSES  8192 /* processes of a server's tree that are looked at for memory */
#define LIMIT_BENCH_START_MS   10000 /* a server's start */
#define LIMIT_BENCH_STOP_MS    15000 /* a server's end: its grace, and a moment */
