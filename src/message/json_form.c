/* Times, durations and bytes as JSON has them. */
#include "base/bytes.h"
#include "message/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NANOS_PER_S 1000000000
#define DAY_S       86400
#define FIRST_S     (-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_S      253402300799   /* 9999-12-31T23:59:59Z */
#define DURATION_S  315576000000   /* ten thousand years */

/* Days since 1970-01-01 of a date of the Gregorian calendar, counted in eras of 400 years that begin in March. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + (int64_t)days - 719468;
}

static void date_of(int64_t days, int64_t *out_year, unsigned *out_month, unsigned *out_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned of_era = (unsigned)(days - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;
    *out_day = of_year - (153 * month + 2) / 5 + 1;
    *out_month = month < 10 ? month + 3 : month - 9;
    *out_year = (int64_t)year + era * 400 + (*out_month <= 2);
}

/* Nothing, or three, six or nine digits. */
static void add_nanos(struct text *t, int32_t nanos)
{
    if (nanos == 0)
        return;
    if (nanos % 1000000 == 0)
        text_fmt(t, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0)
        text_fmt(t, ".%06d", nanos / 1000);
    else
        text_fmt(t, ".%09d", nanos);
}

int json_timestamp_text(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT])
{
    int64_t year;
    unsigned month, day;
    struct text t;
    if (seconds < FIRST_S || seconds > LAST_S || nanos < 0 || nanos >= NANOS_PER_S)
        return -ERANGE;
    int64_t days = (seconds - FIRST_S) / DAY_S + FIRST_S / DAY_S;
    unsigned rest = (unsigned)(seconds - days * DAY_S);
    date_of(days, &year, &month, &day);
    text_init(&t, out, JSON_TIME_TEXT);
    text_fmt(&t, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)year, month, day, rest / 3600,
             rest / 60 % 60, rest % 60);
    add_nanos(&t, nanos);
    text_char(&t, 'Z');
    text_end(&t);
    return 0;
}

int json_duration_text(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT])
{
    struct text t;
    bool minus = seconds < 0 || nanos < 0;
    if (seconds < -DURATION_S || seconds > DURATION_S || nanos <= -NANOS_PER_S ||
        nanos >= NANOS_PER_S || (minus && (seconds > 0 || nanos > 0)))
        return -ERANGE;
    text_init(&t, out, JSON_TIME_TEXT);
    text_str(&t, minus ? "-" : "");
    text_u64(&t, (uint64_t)(minus ? -seconds : seconds));
    add_nanos(&t, minus ? -nanos : nanos);
    text_char(&t, 's');
    text_end(&t);
    return 0;
}

/* `count` digits: false and nothing taken if they are not there. */
static bool take_digits(struct weir_bytes *text, unsigned count, unsigned *out)
{
    unsigned value = 0;
    if (text->len < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text->at[i] - '0');
    }
    text->at += count, text->len -= count;
    *out = value;
    return true;
}

static bool take_char(struct weir_bytes *text, char c)
{
    if (text->len == 0 || *text->at != c)
        return false;
    text->at++, text->len--;
    return true;
}

/* A point and one to nine digits, or nothing. */
static bool take_nanos(struct weir_bytes *text, int32_t *out)
{
    unsigned digit, count = 0;
    *out = 0;
    if (!take_char(text, '.'))
        return true;
    for (; count < 9 && take_digits(text, 1, &digit); count++)
        *out = *out * 10 + (int32_t)digit;
    if (count == 0)
        return false;
    for (; count < 9; count++)
        *out *= 10;
    return true;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* "Z", or "+hh:mm" from it. */
static bool take_zone(struct weir_bytes *text, int64_t *out_s)
{
    unsigned hours, minutes;
    bool minus = text->len > 0 && *text->at == '-';
    *out_s = 0;
    if (take_char(text, 'Z') || take_char(text, 'z'))
        return text->len == 0;
    if (!take_char(text, minus ? '-' : '+') || !take_digits(text, 2, &hours) ||
        !take_char(text, ':') || !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *out_s = (int64_t)(hours * 3600 + minutes * 60) * (minus ? -1 : 1);
    return text->len == 0;
}

int json_timestamp_read(struct weir_bytes text, int64_t *out_seconds, int32_t *out_nanos)
{
    unsigned year, month, day, hour, minute, second;
    int64_t zone;
    int32_t nanos;
    bool date = take_digits(&text, 4, &year) && take_char(&text, '-') &&
                take_digits(&text, 2, &month) && take_char(&text, '-') &&
                take_digits(&text, 2, &day) && (take_char(&text, 'T') || take_char(&text, 't'));
    if (!date || !take_digits(&text, 2, &hour) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &second) || !take_nanos(&text, &nanos) || !take_zone(&text, &zone))
        return -EINVAL;
    if (year == 0 || month == 0 || month > 12 || day == 0 || day > days_in(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return -ERANGE;
    int64_t seconds = days_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - zone;
    if (seconds < FIRST_S || seconds > LAST_S)
        return -ERANGE;
    *out_seconds = seconds;
    *out_nanos = nanos;
    return 0;
}

int json_duration_read(struct weir_bytes text, int64_t *out_seconds, int32_t *out_nanos)
{
    bool minus = take_char(&text, '-');
    uint64_t seconds;
    int32_t nanos;
    size_t digits = 0;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9')
        digits++;
    int rc = bytes_u64((struct weir_bytes){text.at, digits}, &seconds);
    if (rc < 0)
        return rc;
    text.at += digits, text.len -= digits;
    if (!take_nanos(&text, &nanos) || !take_char(&text, 's') || text.len > 0)
        return -EINVAL;
    if (seconds > DURATION_S)
        return -ERANGE;
    *out_seconds = minus ? -(int64_t)seconds : (int64_t)seconds;
    *out_nanos = minus ? -nanos : nanos;
    return 0;
}

void json_base64(struct grow *out, const uint8_t *bytes, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (have > 2 ? bytes[i + 2] : 0u);
        char four[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63],
                        have > 1 ? alphabet[bits >> 6 & 63] : '=',
                        have > 2 ? alphabet[bits & 63] : '='};
        grow_add(out, four, sizeof(four));
    }
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

ssize_t json_base64_read(struct weir_bytes text, uint8_t *out)
{
    uint8_t *start = out;
    uint32_t bits = 0;
    unsigned have = 0;
    size_t padding = 0;
    while (padding < 2 && text.len > 0 && text.at[text.len - 1] == '=')
        text.len--, padding++;
    if (padding && (text.len + padding) % 4 != 0)
        return -EINVAL;
    if (text.len % 4 == 1)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.at[i]);
        if (digit < 0)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *out++ = (uint8_t)(bits >> have);
        }
    }
    return out - start;
}
