#include "stream/transport.h"
#include "stream/value.h"

WEIR_API int weir_open(const char *endpoint, unsigned how, int timeout_ms, struct weir_stream **out)
{
    const struct transport *row;
    const char *rest;
    struct weir_stream s;
    int rc = endpoint_parse(endpoint, false, &row, &rest);
    if (rc == 0)
        rc = row->open(rest, how, deadline_in(timeout_ms), &s);
    return rc < 0 ? rc : stream_to_heap(&s, out);
}
