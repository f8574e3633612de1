/*
 * service/log_process.h: the one process that writes logs. Records come to it through rings (service/log_ring.h); it looks every
 * tenth of a second while there are some, sleeps while there are none, and never lets whoever reads a log hold up anybody but that log.
 * What is lost is counted and said.
 */
#pragma once

#include "service/log_sink.h"

struct log_rings;
struct weir_helper;

struct log_channel {
    const char *what;        /* "access log" */
    struct log_rings *rings; /* NULL: there is no such log */
    struct log_sink sink;
    /* the process's own */
    int torn;        /* the ring whose line was written in part; -1: none */
    int error;       /* what is wrong with it; 0: nothing */
    uint64_t lost;   /* lines that were said to be lost */
    uint64_t say_ns; /* not before that again */
};

/* Until nobody is left who could write; then everything that was committed is written. As weir_beside.run. */
int log_process_run(const struct weir_helper *, struct log_channel *const *, unsigned count);
