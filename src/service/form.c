#include "service/form.h"

#include "base/bytes.h"

#include <weir/routes.h>

#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ssize_t form_decode(struct weir_bytes in, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.at[i] == '+' ? ' ' : in.at[i];
        if (c == '%') {
            int high = i + 2 < in.len ? hex_digit(in.at[i + 1]) : -1;
            int low = i + 2 < in.len ? hex_digit(in.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -EPROTO;
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[len++] = c;
    }
    return (ssize_t)len;
}

static int fail(struct form *f, int error)
{
    f->error = error;
    return error;
}

static size_t have(const struct form *f)
{
    return f->to - f->from;
}

/* More bytes behind the unread ones. 1; 0: the end; -EMSGSIZE: no room. */
static int fill(struct form *f)
{
    if (f->ended)
        return 0;
    if (f->from > 0) {
        memmove(f->buffer, f->buffer + f->from, have(f));
        f->to -= f->from;
        f->from = 0;
    }
    if (f->to == sizeof(f->buffer))
        return fail(f, -EMSGSIZE);
    ssize_t n = f->source(f->arg, f->buffer + f->to, sizeof(f->buffer) - f->to);
    if (n < 0)
        return fail(f, (int)n);
    f->to += (size_t)n;
    f->ended = n == 0;
    return n > 0;
}

/* --- urlencoded --- */

/* How many unread bytes come before one of the two; all: neither is there yet. */
static size_t run_before(const struct form *f, char a, char b)
{
    size_t n = 0;
    while (n < have(f) && f->buffer[f->from + n] != a && f->buffer[f->from + n] != b)
        n++;
    return n;
}

static int next_pair(struct form *f)
{
    size_t n;
    int rc = 1;
    for (;;) {
        while (have(f) > 0 && f->buffer[f->from] == '&') /* empty pairs are none */
            f->from++;
        n = run_before(f, '=', '&');
        if (n > LIMIT_FORM_HEAD)
            return fail(f, -EMSGSIZE);
        if (n < have(f) || (rc = fill(f)) <= 0)
            break;
    }
    if (rc < 0 || have(f) == 0)
        return rc;
    ssize_t len = form_decode((struct weir_bytes){f->buffer + f->from, n}, f->name);
    if (len < 0 || memchr(f->name, '\0', (size_t)len))
        return fail(f, -EPROTO);
    f->name[len] = '\0';
    f->from += n;
    if (have(f) > 0 && f->buffer[f->from] == '=')
        f->from++;
    return 1;
}

/* An escape is decoded when it is there whole. */
static ssize_t read_value(struct form *f, char *out, size_t max)
{
    for (;;) {
        size_t n = run_before(f, '&', '&');
        bool whole = n < have(f) || f->ended;
        size_t len = n < max ? n : max;
        const char *at = f->buffer + f->from;
        bool cut_short = len < n || !whole; /* more of this value may follow */
        if (cut_short && len > 0 && at[len - 1] == '%')
            len -= 1;
        else if (cut_short && len > 1 && at[len - 2] == '%')
            len -= 2;
        if (len == 0 && n >= 3) /* room for less than an escape takes */
            len = 3;
        if (len > 0) {
            ssize_t decoded = form_decode((struct weir_bytes){at, len}, out);
            f->from += len;
            return decoded < 0 ? fail(f, (int)decoded) : decoded;
        }
        if (whole)
            return n == 0 ? 0 : fail(f, -EPROTO);
        int rc = fill(f);
        if (rc < 0)
            return rc;
    }
}

/* --- multipart --- */

static bool is_delimiter_at(const struct form *f, size_t at)
{
    return f->to - at >= f->delimiter_len &&
           memcmp(f->buffer + at, f->delimiter, f->delimiter_len) == 0;
}

/* How many unread bytes are certainly content. */
static size_t content_run(const struct form *f)
{
    const char *at = f->buffer + f->from, *found;
    found = memmem(at, have(f), f->delimiter, f->delimiter_len);
    if (found)
        return (size_t)(found - at);
    return have(f) >= f->delimiter_len ? have(f) - f->delimiter_len + 1 : 0;
}

static ssize_t read_part(struct form *f, char *out, size_t max)
{
    for (;;) {
        size_t n = content_run(f);
        if (n > 0) {
            n = n < max ? n : max;
            memcpy(out, f->buffer + f->from, n);
            f->from += n;
            return (ssize_t)n;
        }
        if (is_delimiter_at(f, f->from))
            return 0;
        int rc = fill(f);
        if (rc <= 0)
            return rc < 0 ? rc : fail(f, -EPROTO);
    }
}

/* The value of a parameter ("name=token" or "name=\"quoted\""), with its quoting taken off. 1; 0: there is none; -EPROTO. */
static int take_value(const char **at, const char *end, char *out, size_t size)
{
    const char *p = *at;
    size_t len = 0;
    bool quoted = p < end && *p == '"';
    p += quoted;
    for (; p < end && (quoted ? *p != '"' : *p != ';' && *p != ' ' && *p != '\t'); p++) {
        /* Only a quote is ever escaped: file names of some systems have backslashes of their own. */
        if (quoted && *p == '\\' && end - p > 1 && p[1] == '"')
            p++;
        if ((uint8_t)*p < 0x20 || *p == 0x7f || len + 1 >= size || (!quoted && *p == '"'))
            return -EPROTO;
        out[len++] = *p;
    }
    if (quoted && (p == end || *p++ != '"'))
        return -EPROTO;
    out[len] = '\0';
    *at = p;
    return quoted || len > 0 ? 1 : -EPROTO;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Looks for `name` among the parameters behind a value's first ';'. Twice is -EPROTO. */
static int find_parameter(struct weir_bytes value, const char *name, char *out, size_t size)
{
    char other[LIMIT_FORM_HEAD + 1];
    const char *end = value.at + value.len;
    const char *at = value.len > 0 ? memchr(value.at, ';', value.len) : NULL;
    int found = 0;
    for (at = at ? at : end; at < end; at = skip_blanks(at, end)) {
        if (*at++ != ';')
            return -EPROTO;
        at = skip_blanks(at, end);
        if (at == end)
            break;
        const char *equals = memchr(at, '=', (size_t)(end - at));
        if (!equals)
            return -EPROTO;
        bool same = bytes_same((struct weir_bytes){at, (size_t)(equals - at)}, bytes_str(name));
        at = equals + 1;
        int rc = take_value(&at, end, same ? out : other, same ? size : sizeof(other));
        if (rc < 0 || (same && found++))
            return -EPROTO;
    }
    return found;
}

static int read_disposition(struct form *f, struct weir_bytes value, bool *out_file)
{
    size_t n = 0;
    while (n < value.len && value.at[n] != ';')
        n++;
    if (!bytes_same(bytes_trim((struct weir_bytes){value.at, n}), BYTES("form-data")))
        return -EPROTO;
    int rc = find_parameter(value, "name", f->name, sizeof(f->name));
    if (rc <= 0)
        return -EPROTO;
    rc = find_parameter(value, "filename", f->filename, sizeof(f->filename));
    *out_file = rc > 0;
    return rc < 0 ? rc : 0;
}

/* One line of a part's head, without its end. */
static int read_line(struct form *f, struct weir_bytes line, bool *named, bool *out_file)
{
    const char *colon = line.len > 0 ? memchr(line.at, ':', line.len) : NULL;
    if (!colon || colon == line.at || memchr(line.at, '\0', line.len))
        return -EPROTO;
    struct weir_bytes name = {line.at, (size_t)(colon - line.at)};
    struct weir_bytes value = bytes_trim((struct weir_bytes){colon + 1, line.len - name.len - 1});
    if (bytes_same(name, BYTES("content-disposition"))) {
        if (*named)
            return -EPROTO;
        *named = true;
        return read_disposition(f, value, out_file);
    }
    if (bytes_same(name, BYTES("content-type"))) {
        if (value.len >= sizeof(f->type))
            return -EPROTO;
        memcpy(f->type, value.at, value.len);
        f->type[value.len] = '\0';
    }
    return 0;
}

/* The head is at the front of the buffer: lines that end with CR LF, `len` bytes without the empty one. */
static int read_head(struct form *f, size_t len, bool *out_file)
{
    bool named = false;
    const char *at = f->buffer + f->from, *end = at + len;
    memcpy(f->type, "text/plain", sizeof("text/plain"));
    while (at < end) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (!stop || read_line(f, (struct weir_bytes){at, (size_t)(stop - at)}, &named, out_file))
            return fail(f, -EPROTO);
        at = stop + 2;
    }
    return named ? 1 : fail(f, -EPROTO);
}

/* Past the delimiter: the end of its line (then 1), or two hyphens (then 0: the last one). */
static int end_delimiter(struct form *f)
{
    int rc = 1;
    while (have(f) < 2 && rc > 0)
        rc = fill(f);
    if (rc < 0)
        return rc;
    if (have(f) >= 2 && memcmp(f->buffer + f->from, "--", 2) == 0)
        return 0;
    for (size_t padding = 0; rc > 0 && padding < LIMIT_FORM_BOUNDARY; padding++) {
        const char *at = f->buffer + f->from;
        if (have(f) >= 2 && at[0] == '\r' && at[1] == '\n') {
            f->from += 2;
            return 1;
        }
        if (have(f) < 2 || (at[0] != ' ' && at[0] != '\t'))
            break;
        f->from++;
        while (have(f) < 2 && (rc = fill(f)) > 0)
            ;
    }
    return rc < 0 ? rc : fail(f, -EPROTO);
}

/* Everything up to the first delimiter is for nobody (RFC 2046 section 5.1.1). */
static int skip_preamble(struct form *f)
{
    char waste[512];
    ssize_t n;
    while ((n = read_part(f, waste, sizeof(waste))) > 0) {
        f->preamble += (size_t)n;
        if (f->preamble > LIMIT_FORM_PREAMBLE)
            return fail(f, -EMSGSIZE);
    }
    return (int)n;
}

static int next_part(struct form *f, bool *out_file)
{
    int rc = f->begun ? 0 : skip_preamble(f);
    if (rc < 0)
        return rc;
    f->begun = true;
    f->from += f->delimiter_len;
    rc = end_delimiter(f);
    if (rc <= 0)
        return rc;
    for (;;) {
        const char *at = f->buffer + f->from;
        const char *end = have(f) > 0 ? memmem(at, have(f), "\r\n\r\n", 4) : NULL;
        size_t len = end ? (size_t)(end - at) + 2 : have(f) > 2 ? have(f) - 2 : 0;
        if (len > LIMIT_FORM_HEAD)
            return fail(f, -EMSGSIZE);
        if (end) {
            rc = read_head(f, len, out_file);
            f->from += len + 2;
            return rc;
        }
        rc = fill(f);
        if (rc <= 0)
            return rc < 0 ? rc : fail(f, -EPROTO);
    }
}

/* --- both --- */

int form_init(struct form *f, struct weir_bytes content_type,
              ssize_t (*source)(void *, void *, size_t), void *arg)
{
    size_t n = 0;
    while (n < content_type.len && content_type.at[n] != ';')
        n++;
    struct weir_bytes type = bytes_trim((struct weir_bytes){content_type.at, n});
    f->source = source;
    f->arg = arg;
    f->at = FORM_BETWEEN;
    f->begun = f->ended = false;
    f->error = 0;
    f->parts = 0;
    f->preamble = f->from = f->to = 0;
    f->kind = FORM_URLENCODED;
    if (bytes_same(type, BYTES("application/x-www-form-urlencoded")))
        return 0;
    if (!bytes_same(type, BYTES("multipart/form-data")))
        return -EOPNOTSUPP;
    f->kind = FORM_MULTIPART;
    memcpy(f->delimiter, "\r\n--", 4);
    if (find_parameter(content_type, "boundary", f->delimiter + 4, LIMIT_FORM_BOUNDARY + 1) <= 0)
        return -EPROTO;
    f->delimiter_len = strlen(f->delimiter);
    if (f->delimiter_len == 4)
        return -EPROTO;
    memcpy(f->buffer, "\r\n", 2); /* the first delimiter needs no line before it */
    f->to = 2;
    return 0;
}

ssize_t form_read(struct form *f, void *buffer, size_t len)
{
    if (f->error)
        return f->error;
    if (f->at != FORM_CONTENT || len == 0)
        return 0;
    ssize_t n = f->kind == FORM_MULTIPART ? read_part(f, buffer, len) : read_value(f, buffer, len);
    if (n == 0)
        f->at = FORM_BETWEEN;
    return n;
}

int form_next(struct form *f, struct weir_form_part *out)
{
    char waste[512];
    bool file = false;
    ssize_t n;
    while ((n = form_read(f, waste, sizeof(waste))) > 0)
        ;
    if (n < 0 || f->at == FORM_OVER)
        return (int)n;
    int rc = f->kind == FORM_MULTIPART ? next_part(f, &file) : next_pair(f);
    f->at = rc > 0 ? FORM_CONTENT : FORM_OVER;
    if (rc <= 0)
        return rc;
    if (++f->parts > LIMIT_FORM_PARTS)
        return fail(f, -EMSGSIZE);
    *out = (struct weir_form_part){
        .name = f->name,
        .filename = file ? f->filename : NULL,
        .type = f->kind == FORM_MULTIPART ? f->type : "text/plain",
    };
    return 1;
}
