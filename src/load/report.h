/*
 * load/report.h: what a load came to, for people, for programs and as a page.
 */
#pragma once

#include "load/load.h"

#include <stdio.h>

struct load_report {
    const char *name; /* as it was asked for: the URL or endpoint */
    const struct load_options *options;
    const struct load_result *result;
};

double load_rate(const struct load_result *);   /* answers a second */
double load_cores(const struct load_result *);  /* of the generator: 1 is a core's whole time */
double load_cpu_us(const struct load_result *); /* of the generator, for each answer */
void load_report_text(FILE *, const struct load_report *);
void load_report_json(FILE *, const struct load_report *);
void load_report_html(FILE *, const struct load_report *);
/* "10.0 s, 64 connections, 1 thread, closed loop" */
void load_report_how(const struct load_report *, char *text, size_t size);
