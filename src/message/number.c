#include "message/number.h"

#include "base/bytes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int number_u64(struct weir_bytes text, uint64_t *out)
{
    return bytes_u64(text, out);
}

int number_i64(struct weir_bytes text, int64_t *out)
{
    bool minus = text.len > 0 && *text.at == '-';
    uint64_t value;
    if (minus)
        text.at++, text.len--;
    int rc = bytes_u64(text, &value);
    if (rc < 0)
        return rc;
    if (value > (uint64_t)INT64_MAX + minus)
        return -ERANGE;
    *out = minus ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

static size_t digits(struct weir_bytes text, size_t at)
{
    while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
        at++;
    return at;
}

/* -? digits (. digits)? ([eE] [+-]? digits)? */
static bool is_number(struct weir_bytes text, size_t *out_point)
{
    size_t at = text.len > 0 && *text.at == '-', end = digits(text, at);
    *out_point = SIZE_MAX;
    if (end == at)
        return false;
    if (end < text.len && text.at[end] == '.') {
        *out_point = end;
        at = end + 1;
        end = digits(text, at);
        if (end == at)
            return false;
    }
    if (end < text.len && (text.at[end] | 0x20) == 'e') {
        at = end + 1;
        at += at < text.len && (text.at[at] == '+' || text.at[at] == '-');
        end = digits(text, at);
        if (end == at)
            return false;
    }
    return end == text.len;
}

/* What strtod() and snprintf() write between units and tenths. */
static char point_here(void)
{
    char text[8];
    snprintf(text, sizeof(text), "%.1f", 0.5);
    return text[1];
}

int number_double(struct weir_bytes text, double *out)
{
    char copy[512];
    size_t point;
    if (text.len >= sizeof(copy) || !is_number(text, &point))
        return -EINVAL;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (point != SIZE_MAX)
        copy[point] = point_here();
    double value = strtod(copy, NULL);
    if (isinf(value))
        return -ERANGE;
    *out = value;
    return 0;
}

static void plain_point(char *text)
{
    for (; *text; text++)
        if (!strchr("0123456789+-e", *text))
            *text = '.';
}

void number_text(double value, char out[NUMBER_TEXT])
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(out, NUMBER_TEXT, "%.*g", precision, value);
        if (strtod(out, NULL) == value)
            break;
    }
    plain_point(out);
}

void number_text_float(float value, char out[NUMBER_TEXT])
{
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(out, NUMBER_TEXT, "%.*g", precision, (double)value);
        if (strtof(out, NULL) == value)
            break;
    }
    plain_point(out);
}
