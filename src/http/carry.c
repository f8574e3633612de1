#include "http/carry.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/date.h"
#include "http/parts.h"
#include "tbl/methods.h"

#include <errno.h>
#include <string.h>

enum weir_method method_of(struct weir_bytes name)
{
#define M(method)                                                                                  \
    if (name.len == sizeof(#method) - 1 && memcmp(name.at, #method, sizeof(#method) - 1) == 0)     \
        return WEIR_METHOD_##method;
    METHODS(M)
#undef M
    return WEIR_METHOD_OTHER;
}

uint64_t http_body_max(const struct weir_http *http)
{
    uint64_t max = http->body_max ? http->body_max : LIMIT_HTTP_BODY_BYTES;
    return max < LIMIT_HTTP_BODY_MOST ? max : LIMIT_HTTP_BODY_MOST;
}

uint64_t http_pace_begin(const struct weir_http *http, uint64_t now_ns)
{
    return http->min_rate == WEIR_RATE_ANY ? 0 : now_ns + http_ns(0, LIMIT_HTTP_RATE_GRACE_MS);
}

uint64_t http_pace_came(const struct weir_http *http, uint64_t due_ns, uint64_t now_ns, size_t len)
{
    unsigned rate = http->min_rate ? http->min_rate : LIMIT_HTTP_RATE;
    uint64_t most = now_ns + http_ns(0, LIMIT_HTTP_RATE_GRACE_MS);
    uint64_t due = due_ns + len * WEIR_NS_PER_S / rate;
    if (!due_ns)
        return 0;
    /* One that has passed unnoticed: nobody listened meanwhile. */
    return due_ns < now_ns || due > most ? most : due;
}

enum http_error exchange_read_expect(struct weir_exchange *x)
{
    struct weir_bytes value, expectation;
    if (x->minor == 0) /* RFC 9110 section 10.1.1: HTTP/1.0 cannot mean it */
        return HTTP_OK;
    for (unsigned at = 0; exchange_each(x, FIELD_EXPECT, &at, &value);) {
        while (bytes_next(&value, &expectation)) {
            if (!bytes_same(expectation, BYTES("100-continue")))
                return HTTP_EXPECTATION;
            x->expects = x->length != 0;
        }
    }
    return HTTP_OK;
}

_Static_assert(DATE_LEN <= sizeof(((struct weir_driver *)0)->date), "a driver keeps a whole date");

struct weir_bytes http_date(struct weir_driver *driver)
{
    int64_t second = driver->now.wall_ns / (int64_t)WEIR_NS_PER_S;
    if (second != driver->date_s || driver->date[0] == '\0') {
        date_write(second, driver->date);
        driver->date_s = second;
    }
    return (struct weir_bytes){driver->date, DATE_LEN};
}

/* Milliseconds, as the field has them (Server Timing, section 3); times of the past do not go below 0. */
static void add_step(struct text *t, const char *name, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t us = to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
    us = us < 999999999 ? us : 999999999;
    text_fmt(t, "%s;dur=%u.%03u", name, (unsigned)(us / 1000), (unsigned)(us % 1000));
}

void http_timing(struct text *t, const struct weir_exchange *x)
{
    const uint64_t *at = x->time_ns;
    if (!at[TIME_RECEIVE] || !at[TIME_PARSE] || !at[TIME_OPEN])
        return; /* refused before it came so far */
    add_step(t, "receive", x->started_ns, at[TIME_RECEIVE]);
    add_step(t, ", parse", at[TIME_RECEIVE], at[TIME_PARSE]);
    add_step(t, ", open", at[TIME_PARSE], at[TIME_OPEN]);
}

int exchange_give(struct weir_exchange *x, struct weir_out *to, size_t room)
{
    uint64_t before = weir_out_len(to);
    bool sized = x->reply_len != WEIR_LENGTH_UNKNOWN;
    if (sized && x->reply_sent == x->reply_len)
        return WEIR_FLOW_END; /* all that was promised */
    if (sized && room > x->reply_len - x->reply_sent)
        room = (size_t)(x->reply_len - x->reply_sent);
    int flow = x->parts ? parts_give(x, to, room) : x->handler->give(x, to, room);
    uint64_t given = weir_out_len(to) - before;
    if (flow < 0)
        return flow;
    if (weir_out_failed(to))
        return -ENOMEM;
    if (sized && given > x->reply_len - x->reply_sent)
        return -EMSGSIZE; /* more than was promised: the peer would take it for the next answer */
    x->reply_sent += given;
    if (flow == WEIR_FLOW_END && sized && x->reply_sent < x->reply_len)
        return -EPROTO; /* less than was promised: the peer must see that it is cut */
    return flow == WEIR_FLOW_MORE && given == 0 ? WEIR_FLOW_WAIT : flow; /* else it would spin */
}
