/* An exchange that is answered by another address of this server: what CGI calls a local redirect. */
#include "http/exchange.h"

#include <errno.h>
#include <string.h>

/* A copy of the head with the new target behind it, in place of an earlier one: positions in it are 16 bits wide. */
static int set_target(struct weir_exchange *x, struct weir_bytes target)
{
    size_t head = (size_t)x->line.at + x->line.len;
    if (x->field_count > 0) {
        struct slice last = x->fields[x->field_count - 1].value;
        head = (size_t)last.at + last.len;
    }
    if (head + target.len > UINT16_MAX)
        return -ENOBUFS;
    char *copy = weir_exchange_alloc(x, head + target.len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, x->head, head);
    memcpy(copy + head, target.at, target.len);
    const char *mark = memchr(target.at, '?', target.len);
    size_t path = mark ? (size_t)(mark - target.at) : target.len, query = path + (mark != NULL);
    x->head = copy;
    x->kept = true;
    x->target = (struct slice){(uint16_t)head, (uint16_t)target.len};
    x->path = (struct slice){(uint16_t)head, (uint16_t)path};
    x->query = (struct slice){(uint16_t)(head + query), (uint16_t)(target.len - query)};
    x->form = TARGET_ORIGIN;
    return 0;
}

int exchange_reroute(struct weir_exchange *x, struct weir_bytes target)
{
    if (x->begun)
        return -EALREADY;
    if (x->reroutes >= LIMIT_HTTP_REROUTES)
        return -ELOOP;
    int rc = set_target(x, target);
    if (rc < 0)
        return rc;
    x->reroutes++;
    if (x->handler && x->handler->stop)
        x->handler->stop(x, WEIR_DONE);
    x->handler = NULL;
    x->state = NULL;
    x->deadline_ns = 0;
    /* Its content was for the first handler (RFC 3875 section 6.2.2: as if the client had asked for that address). */
    x->length = 0;
    if (x->method != WEIR_METHOD_HEAD)
        x->method = WEIR_METHOD_GET;
    rc = exchange_start(x);
    if (rc == 0 && x->handler && x->handler->end) {
        rc = x->handler->end(x);
        if (rc < 0)
            rc = exchange_fail(x, rc);
    }
    return rc;
}
