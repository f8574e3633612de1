#include "base/text.h"
#include "stream/transport.h"
#include "stream/tunnel.h"
#include "stream/value.h"

#include <errno.h>
#include <string.h>

static int open_named(const char *endpoint, unsigned how, uint64_t deadline, char *why, size_t size,
                      struct weir_stream **out)
{
    const struct transport *row;
    const char *rest;
    struct weir_stream s;
    int rc = endpoint_parse(endpoint, false, &row, &rest);
    if (rc == 0 && row == &tls_transport && stream_open_tls)
        rc = stream_open_tls(rest, deadline, why, size, &s);
    else if (rc == 0)
        rc = row->open(rest, how, deadline, &s);
    return rc < 0 ? rc : stream_to_heap(&s, out);
}

WEIR_API int weir_open(const char *endpoint, unsigned how, int timeout_ms, struct weir_stream **out)
{
    return open_named(endpoint, how, deadline_in(timeout_ms), NULL, 0, out);
}

/* What an error means of a name that could be used. */
static const char *advice(int error)
{
    switch (error) {
    case -ECONNREFUSED:
        return "; nobody listens there";
    case -EINVAL:
        return "; the port must be a number or the name of a known service";
    default:
        return "";
    }
}

WEIR_API int weir_open_why(const char *endpoint, unsigned how, int timeout_ms,
                           struct weir_stream **out, char *why, size_t why_size)
{
    struct text t;
    if (weir_endpoint_check(endpoint, false, why, why_size) < 0)
        return -EINVAL;
    if (why_size > 0)
        why[0] = '\0';
    int rc = open_named(endpoint, how, deadline_in(timeout_ms), why, why_size, out);
    if (rc == 0 || why_size == 0 || why[0])
        return rc;
    const char *reason = strerrordesc_np(-rc);
    text_init(&t, why, why_size);
    text_str(&t, reason ? reason : "unknown error");
    text_str(&t, advice(rc));
    text_end(&t);
    return rc;
}

WEIR_API const char *weir_stream_why(const struct weir_stream *s)
{
    return stream_why(s);
}
