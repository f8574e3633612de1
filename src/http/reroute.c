/* An exchange that is answered by another address of this server: what CGI calls a local redirect; or rewritten, or started again. */
#include "http/reroute.h"

#include <errno.h>
#include <string.h>

/* A copy of the head with `said` and the new target behind it, in place of earlier ones: positions in it are 16 bits wide. Both may lie in
 * the head that is copied. Path and query are those of the target; returns where `said` is, or < 0. */
static int set_address(struct weir_exchange *x, struct weir_bytes said, struct weir_bytes target)
{
    size_t head = exchange_head_end(x);
    size_t at = head + said.len;
    if (at + target.len > UINT16_MAX)
        return -ENOBUFS;
    char *copy = weir_exchange_alloc(x, at + target.len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, x->head, head);
    if (said.len > 0)
        memcpy(copy + head, said.at, said.len);
    memcpy(copy + at, target.at, target.len);
    const char *mark = memchr(target.at, '?', target.len);
    size_t path = mark ? (size_t)(mark - target.at) : target.len, query = path + (mark != NULL);
    x->head = copy;
    x->kept = true;
    x->path = (struct slice){(uint16_t)at, (uint16_t)path};
    x->query = (struct slice){(uint16_t)(at + query), (uint16_t)(target.len - query)};
    return (int)head;
}

static int set_target(struct weir_exchange *x, struct weir_bytes target)
{
    int at = set_address(x, (struct weir_bytes){0}, target);
    if (at < 0)
        return at;
    x->target = (struct slice){(uint16_t)at, (uint16_t)target.len};
    x->form = TARGET_ORIGIN;
    x->rewritten = false;
    return 0;
}

int exchange_rewrite(struct weir_exchange *x, struct weir_bytes target)
{
    int at = set_address(x, exchange_slice(x, x->target), target);
    if (at < 0)
        return at;
    x->target.at = (uint16_t)at;
    x->form = TARGET_ORIGIN;
    x->rewritten = true;
    return 0;
}

static int start_again(struct weir_exchange *x, bool ended)
{
    int rc = exchange_start(x);
    if (rc == 0 && ended && x->handler && x->handler->end) {
        rc = x->handler->end(x);
        if (rc < 0)
            rc = exchange_fail(x, rc);
    }
    return rc;
}

int exchange_restart(struct weir_exchange *x, bool ended)
{
    if (x->begun)
        return -EALREADY;
    exchange_dismiss(x, WEIR_DONE);
    x->restarted = true;
    x->lines.len = x->lines_mark; /* what is said of the address is said again */
    x->trailers.len = 0;
    int rc = start_again(x, ended);
    exchange_settle_content(x);
    return rc;
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
    exchange_dismiss(x, WEIR_DONE);
    /* Its content was for the first handler (RFC 3875 section 6.2.2: as if the client had asked for that address). */
    x->length = 0;
    if (x->method != WEIR_METHOD_HEAD)
        x->method = WEIR_METHOD_GET;
    return start_again(x, true);
}
