/*
 * service/cgi_places.h: how many programs may run at once, whichever worker, process or thread started them. Each place has
 * the number of the process that took it, so that one which was killed leaves no place behind that nobody can take.
 */
#pragma once

#include <weir/base.h>

struct cgi_places;

/* In memory that all processes share which are forked later. 0 or -ENOMEM. */
WEIR_CHECKED int cgi_places_new(unsigned count, struct cgi_places **out);
void cgi_places_free(struct cgi_places *); /* NULL is fine */
/* A place's number; -EAGAIN: all are taken. */
WEIR_CHECKED int cgi_places_take(struct cgi_places *);
void cgi_places_give(struct cgi_places *, int place);
