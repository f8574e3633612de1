/* Writes a line of the access log. */
#include "base/bytes.h"
#include "http/date.h"
#include "http/exchange.h"
#include "service/log_fields.h"
#include "service/log_format.h"
#include "tbl/limits.h"

#include <string.h>

struct line {
    const struct log_format *format;
    struct log_memo *memo;
    struct text *t;
    struct weir_exchange *x;
    uint64_t end_ns;
    int why;
};

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What a client said, with nothing in it that could end the field, the line, or confuse a terminal. */
static void add_escaped(struct text *t, struct weir_bytes bytes)
{
    size_t len = bytes.len < LIMIT_LOG_FIELD ? bytes.len : LIMIT_LOG_FIELD;
    if (len == 0)
        text_char(t, '-');
    for (size_t i = 0; i < len;) {
        size_t from = i;
        while (i < len && is_plain(bytes.at[i]))
            i++;
        text_add(t, bytes.at + from, i - from);
        if (i == len)
            return;
        uint8_t c = (uint8_t)bytes.at[i++];
        char escape[4] = {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
        text_add(t, escape, sizeof(escape));
    }
}

/* The same of a name that no quotes stand around: blanks would end it. */
static void add_escaped_name(struct text *t, struct weir_bytes name)
{
    struct weir_bytes rest = name;
    const char *space;
    while (rest.len > 0 && (space = memchr(rest.at, ' ', rest.len))) {
        if (space > rest.at)
            add_escaped(t, (struct weir_bytes){rest.at, (size_t)(space - rest.at)});
        text_add(t, "\\x20", 4);
        rest = (struct weir_bytes){space + 1, (size_t)(rest.at + rest.len - space - 1)};
    }
    if (rest.len > 0 || name.len == 0)
        add_escaped(t, rest);
}

static void two(struct text *t, unsigned value)
{
    char digits[2] = {(char)('0' + value / 10 % 10), (char)('0' + value % 10)};
    text_add(t, digits, 2);
}

/* "06/Nov/1994:08:49:37 +0000", written once a second. */
static void add_time(struct text *t, struct log_memo *memo, int64_t wall_ns)
{
    int64_t second = wall_ns / (int64_t)WEIR_NS_PER_S;
    if (second != memo->second || memo->stamp[0] == '\0') {
        struct date d;
        struct text stamp;
        date_split(second, &d);
        text_init(&stamp, memo->stamp, sizeof(memo->stamp));
        two(&stamp, d.day);
        text_char(&stamp, '/');
        text_add(&stamp, date_months[d.month - 1], 3);
        text_char(&stamp, '/');
        text_u64(&stamp, (uint64_t)d.year);
        text_char(&stamp, ':');
        two(&stamp, d.hour);
        text_char(&stamp, ':');
        two(&stamp, d.minute);
        text_char(&stamp, ':');
        two(&stamp, d.second);
        text_str(&stamp, " +0000");
        text_end(&stamp);
        memo->second = second;
    }
    text_str(t, memo->stamp);
}

/* Microseconds are enough; a moment that never came, or a clock of the turn, gives 0. */
static void add_seconds(struct text *t, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t us = from_ns && to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
    char part[7] = {'.'};
    text_u64(t, us / 1000000);
    us %= 1000000;
    for (unsigned i = 6; i > 0; i--, us /= 10)
        part[i] = (char)('0' + us % 10);
    text_add(t, part, sizeof(part));
}

static void add_quoted(struct text *t, const struct weir_exchange *x, enum field_id id)
{
    text_add(t, " \"", 2);
    add_escaped(t, exchange_field(x, id));
    text_char(t, '"');
}

static void write_combined(const struct line *line)
{
    struct text *t = line->t;
    struct weir_exchange *x = line->x;
    unsigned port;
    log_add_client(line->format, t, x, &port);
    text_add(t, " - ", 3);
    add_escaped_name(t, x->user);
    text_add(t, " [", 2);
    add_time(t, line->memo, x->driver->now.wall_ns);
    text_add(t, "] \"", 3);
    add_escaped(t, weir_request_line(x));
    text_add(t, "\" ", 2);
    text_u64(t, x->status);
    text_char(t, ' ');
    text_u64(t, x->reply_sent);
    add_quoted(t, x, FIELD_REFERER);
    add_quoted(t, x, FIELD_USER_AGENT);
    text_char(t, ' ');
    add_seconds(t, x->started_ns, line->end_ns);
    if (x->limit) {
        text_str(t, " limit=");
        text_str(t, x->limit);
    }
}

/* --- chosen fields --- */

static struct weir_bytes protocol_of(const struct weir_exchange *x)
{
    if (x->field_count == 0 && x->method == WEIR_METHOD_OTHER)
        return (struct weir_bytes){0}; /* no head was read */
    if (x->h2)
        return BYTES("HTTP/2.0");
    return x->minor ? BYTES("HTTP/1.1") : BYTES("HTTP/1.0");
}

static struct weir_bytes subject_of(const struct weir_exchange *x)
{
    const char *who = x->conn ? weir_conn_who(x->conn) : NULL;
    return bytes_str(who ? who : "");
}

static struct weir_bytes method_of(const struct weir_exchange *x)
{
    struct weir_bytes line = weir_request_line(x);
    const char *space = line.len > 0 ? memchr(line.at, ' ', line.len) : NULL;
    return (struct weir_bytes){line.at, space ? (size_t)(space - line.at) : 0};
}

/* What is text of a field; true: `out` is it, and it is to be quoted. */
static bool text_of(const struct line *line, enum log_field field, char room[WEIR_REQUEST_ID_MAX],
                    struct weir_bytes *out)
{
    const struct weir_exchange *x = line->x;
    switch (field) {
    case LOG_HOST:
        *out = weir_request_host(x);
        return true;
    case LOG_LINE:
        *out = weir_request_line(x);
        return true;
    case LOG_METHOD:
        *out = method_of(x);
        return true;
    case LOG_TARGET:
        *out = weir_request_target(x);
        return true;
    case LOG_PROTOCOL:
        *out = protocol_of(x);
        return true;
    case LOG_REFERRER:
        *out = exchange_field(x, FIELD_REFERER);
        return true;
    case LOG_AGENT:
        *out = exchange_field(x, FIELD_USER_AGENT);
        return true;
    case LOG_USER:
        *out = x->user;
        return true;
    case LOG_SUBJECT:
        *out = subject_of(x);
        return true;
    case LOG_ID:
        *out = (struct weir_bytes){room, weir_request_id(x, room)};
        return true;
    case LOG_LIMIT:
        *out = bytes_str(x->limit ? x->limit : "");
        return true;
    case LOG_WHY:
        *out = bytes_str(log_error_name(line->why));
        return true;
    default:
        return false;
    }
}

static void add_peer(const struct line *line, bool port)
{
    char room[128];
    struct text peer;
    unsigned number;
    text_init(&peer, room, sizeof(room));
    log_add_client(line->format, &peer, line->x, &number);
    if (port) {
        text_u64(line->t, number);
        return;
    }
    text_char(line->t, '"');
    text_add(line->t, peer.at, peer.len);
    text_char(line->t, '"');
}

static void add_step(const struct line *line, enum log_field field)
{
    const struct weir_exchange *x = line->x;
    const uint64_t *at = x->time_ns;
    switch (field) {
    case LOG_RECEIVE:
        add_seconds(line->t, x->started_ns, at[TIME_RECEIVE]);
        break;
    case LOG_PARSE:
        add_seconds(line->t, at[TIME_RECEIVE], at[TIME_PARSE]);
        break;
    case LOG_OPEN:
        add_seconds(line->t, at[TIME_PARSE], at[TIME_OPEN]);
        break;
    case LOG_FIRST:
        add_seconds(line->t, x->started_ns, at[TIME_FIRST]);
        break;
    case LOG_LAST:
        add_seconds(line->t, at[TIME_FIRST], line->end_ns);
        break;
    default:
        add_seconds(line->t, x->started_ns, line->end_ns);
        break;
    }
}

static void add_value(const struct line *line, enum log_field field)
{
    switch (field) {
    case LOG_TIME:
        text_char(line->t, '"');
        log_add_utc(line->t, line->x->driver->now.wall_ns);
        text_char(line->t, '"');
        break;
    case LOG_REMOTE:
    case LOG_PORT:
        add_peer(line, field == LOG_PORT);
        break;
    case LOG_STATUS:
        text_u64(line->t, line->x->status);
        break;
    case LOG_BYTES:
        text_u64(line->t, line->x->reply_sent);
        break;
    default:
        add_step(line, field);
        break;
    }
}

static void write_fields(const struct line *line)
{
    bool json = line->format->style == LOG_JSON;
    struct text *t = line->t;
    for (unsigned i = 0; i < line->format->count; i++) {
        char room[WEIR_REQUEST_ID_MAX];
        struct weir_bytes value;
        enum log_field field = (enum log_field)line->format->field[i];
        text_str(t, json ? (i > 0 ? ",\"" : "{\"") : (i > 0 ? " " : ""));
        text_str(t, log_field_name(field));
        text_str(t, json ? "\":" : "=");
        if (text_of(line, field, room, &value))
            log_add_json(t, value, LIMIT_LOG_FIELD);
        else
            add_value(line, field);
    }
    if (json)
        text_char(t, '}');
}

void log_format_write(const struct log_format *format, struct log_memo *memo, struct text *t,
                      struct weir_exchange *x, uint64_t end_ns, int why)
{
    const struct line line = {format, memo, t, x, end_ns, why};
    if (format->style == LOG_COMBINED)
        write_combined(&line);
    else
        write_fields(&line);
    if (t->len == t->size) /* never without its end */
        t->len--;
    t->cut = false;
    text_char(t, '\n');
}
