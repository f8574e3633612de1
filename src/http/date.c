#include "http/date.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define DAY_S 86400

const char date_months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char long_days[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

/* Years are counted from March here, so that the leap day comes last and months follow a straight line:
 * day 0 is 1 March of year 0, 400 years have 146097 days, and 1970-01-01 is day 719468. */
#define DAYS_TO_1970 719468
#define DAYS_400     146097

void date_split(int64_t seconds, struct date *out)
{
    const int64_t first = -62135596800, last = 253402300799; /* 0001-01-01, 9999-12-31 */
    seconds = seconds < first ? first : seconds > last ? last : seconds;
    uint64_t since = (uint64_t)(seconds + (int64_t)DAYS_TO_1970 * DAY_S);
    unsigned day = (unsigned)(since / DAY_S), second = (unsigned)(since % DAY_S);
    unsigned era = day / DAYS_400, in_era = day % DAYS_400;
    unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * in_year + 2) / 153; /* 0: March */
    out->day = in_year - (153 * month + 2) / 5 + 1;
    out->month = month < 10 ? month + 3 : month - 9;
    out->year = (int)(era * 400 + year + (month >= 10));
    out->hour = second / 3600;
    out->minute = second / 60 % 60;
    out->second = second % 60;
    out->weekday = (day + 3) % 7; /* 1 March of year 0 was a Wednesday */
}

static void two_digits(char *at, unsigned value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

void date_write(int64_t seconds, char out[DATE_LEN])
{
    struct date d;
    date_split(seconds, &d);
    memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", DATE_LEN);
    memcpy(out, days[d.weekday], 3);
    two_digits(out + 5, d.day);
    memcpy(out + 8, date_months[d.month - 1], 3);
    two_digits(out + 12, (unsigned)d.year / 100);
    two_digits(out + 14, (unsigned)d.year % 100);
    two_digits(out + 17, d.hour);
    two_digits(out + 20, d.minute);
    two_digits(out + 23, d.second);
}

/* What is left to read; `bad` once something did not fit. */
struct reader {
    struct weir_bytes rest;
    bool bad;
};

static void expect(struct reader *r, const char *literal)
{
    struct weir_bytes want = bytes_str(literal);
    if (r->bad || !bytes_starts(r->rest, want)) {
        r->bad = true;
        return;
    }
    r->rest.at += want.len;
    r->rest.len -= want.len;
}

/* `width` digits; with `pad` the first may be a space. */
static unsigned number(struct reader *r, unsigned width, bool pad)
{
    unsigned value = 0;
    if (r->rest.len < width)
        r->bad = true;
    for (unsigned i = 0; i < width && !r->bad; i++) {
        char c = r->rest.at[i];
        if (pad && i == 0 && c == ' ')
            continue;
        if (c < '0' || c > '9')
            r->bad = true;
        value = value * 10 + (unsigned)(c - '0');
    }
    if (!r->bad) {
        r->rest.at += width;
        r->rest.len -= width;
    }
    return value;
}

static unsigned month(struct reader *r)
{
    for (unsigned i = 0; i < 12; i++) {
        if (bytes_starts(r->rest, (struct weir_bytes){date_months[i], 3})) {
            expect(r, date_months[i]);
            return i + 1;
        }
    }
    r->bad = true;
    return 1;
}

static void clock_time(struct reader *r, struct date *d)
{
    d->hour = number(r, 2, false);
    expect(r, ":");
    d->minute = number(r, 2, false);
    expect(r, ":");
    d->second = number(r, 2, false);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" from the comma on. */
static void read_fixed(struct reader *r, struct date *d)
{
    expect(r, ", ");
    d->day = number(r, 2, false);
    expect(r, " ");
    d->month = month(r);
    expect(r, " ");
    d->year = (int)number(r, 4, false);
    expect(r, " ");
    clock_time(r, d);
    expect(r, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" from the comma on. RFC 9110: more than 50 years ahead means the past. */
static void read_rfc850(struct reader *r, struct date *d, int64_t now_s)
{
    expect(r, ", ");
    d->day = number(r, 2, false);
    expect(r, "-");
    d->month = month(r);
    expect(r, "-");
    unsigned year = number(r, 2, false);
    expect(r, " ");
    clock_time(r, d);
    expect(r, " GMT");
    struct date today;
    date_split(now_s, &today);
    d->year = today.year / 100 * 100 + (int)year;
    if (d->year > today.year + 50)
        d->year -= 100;
    else if (d->year <= today.year - 50)
        d->year += 100;
}

/* "Sun Nov  6 08:49:37 1994" from the first space on. */
static void read_asctime(struct reader *r, struct date *d)
{
    expect(r, " ");
    d->month = month(r);
    expect(r, " ");
    d->day = number(r, 2, true);
    expect(r, " ");
    clock_time(r, d);
    expect(r, " ");
    d->year = (int)number(r, 4, false);
}

static int64_t join(const struct date *d)
{
    int64_t year = d->year - (d->month <= 2);
    int64_t era = year / 400, in_era = year % 400;
    int64_t m = d->month > 2 ? (int64_t)d->month - 3 : (int64_t)d->month + 9;
    int64_t day = era * DAYS_400 + in_era * 365 + in_era / 4 - in_era / 100 + (153 * m + 2) / 5 +
                  (int64_t)d->day - 1 - DAYS_TO_1970;
    return day * DAY_S + (int64_t)d->hour * 3600 + (int64_t)d->minute * 60 + (int64_t)d->second;
}

int date_read(struct weir_bytes text, int64_t now_s, int64_t *out_seconds)
{
    struct reader r = {.rest = text};
    struct date d = {.year = 1};
    unsigned day = 0;
    while (day < 7 && !bytes_starts(text, (struct weir_bytes){days[day], 3}))
        day++;
    if (day == 7)
        return -EINVAL;
    if (bytes_starts(text, bytes_str(long_days[day]))) {
        expect(&r, long_days[day]);
        read_rfc850(&r, &d, now_s);
    } else {
        expect(&r, days[day]);
        if (bytes_starts(r.rest, BYTES(",")))
            read_fixed(&r, &d);
        else
            read_asctime(&r, &d);
    }
    bool leap_second = d.second == 60;
    if (r.bad || r.rest.len > 0 || d.year < 1 || d.day < 1 || d.hour > 23 || d.minute > 59 ||
        d.second > 60)
        return -EINVAL;
    int64_t seconds = join(&d);
    struct date back;
    date_split(seconds - leap_second, &back);
    if (back.day != d.day || back.month != d.month) /* 31 February */
        return -EINVAL;
    *out_seconds = seconds;
    return 0;
}
