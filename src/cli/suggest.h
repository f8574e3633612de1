/*
 * cli/suggest.h: which known word a mistyped one may have meant.
 */
#pragma once

/* How many letters must be added, left out, changed or swapped with their neighbour to make `a` into `b`; at most 99. */
unsigned suggest_distance(const char *a, const char *b);
/* Keeps the nearest of the words it is shown. */
struct suggest {
    const char *word; /* borrowed */
    const char *best; /* borrowed; NULL: nothing near enough so far */
    unsigned distance;
};
void suggest_see(struct suggest *, const char *known);
