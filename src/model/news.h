/*
 * model/news.h: what workers have to say, brought to the supervisor, which alone reports: the caller's report function
 * runs in the caller's process and thread. A line is one packet; when too many are under way it is lost, nobody waits.
 */
#pragma once

#include "model/model.h"

/* Two ends: [0] the supervisor's, [1] the workers'. 0 or -errno. */
int news_open(int out_ends[2]);
void news_say(const struct worker *, enum weir_report, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reports every line that is there. */
void news_pass_on(int fd, const struct weir_server *);
