/*
 * http/date.h: HTTP dates (RFC 9110 section 5.6.7), from and to seconds since 1970. No locale, no time zone, no clock.
 */
#pragma once

#include <weir/base.h>

#define DATE_LEN 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

struct date {
    int year;
    unsigned month, day; /* from 1 */
    unsigned hour, minute, second;
    unsigned weekday; /* 0: Sunday */
};

/* Seconds outside the years 1 to 9999 are brought to the nearest end. */
void date_split(int64_t seconds, struct date *out);
extern const char date_months[12][4];
/* Writes DATE_LEN bytes, no NUL. */
void date_write(int64_t seconds, char out[DATE_LEN]);
/* All three forms. 0 or -EINVAL. `now_s` dates the two-digit years of the oldest form. */
WEIR_CHECKED int date_read(struct weir_bytes text, int64_t now_s, int64_t *out_seconds);
