#include "service/status.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/exchange.h"
#include "http/target.h"
#include "service/guards.h"
#include "tbl/status_script.h"
#include "tbl/status_style.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_MAX WEIR_GIVE_WHOLE

/* Its own style and script, and a stream of events from where it came from. */
static const char policy[] = "default-src 'none'; style-src 'sha256-" STATUS_STYLE_HASH
                             "'; script-src 'sha256-" STATUS_SCRIPT_HASH
                             "'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                             "frame-ancestors 'none'";

static const char page[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>weir</title>\n"
    "<style>" STATUS_STYLE "</style>\n" STATUS_BODY "<script>" STATUS_SCRIPT "</script>\n</html>\n";

/* Of an exchange that streams events; others have none of it. */
struct stream {
    bool on;
    bool over;
    uint64_t until_ns, next_ns;
};

/* --- who may see it --- */

int status_allow(struct status *status, const char *who)
{
    char why[300];
    if (strcmp(who, "local") == 0)
        return 0;
    if (strcmp(who, "any") == 0) {
        status->any = true;
        return 0;
    }
    if (status->allow_count == LIMIT_STATUS_ALLOW)
        return -ENOSPC;
    int rc = net_read(bytes_str(who), &status->allow[status->allow_count], why, sizeof(why));
    if (rc == 0)
        status->allow_count++;
    return rc;
}

/* Loopback, a Unix socket, or the very address that the client spoke to. */
static bool is_local(const struct weir_address *peer, const struct weir_address *local)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    switch (peer->family) {
    case WEIR_FAMILY_UNIX:
        return true;
    case WEIR_FAMILY_IP4:
        return peer->ip[0] == 127 ||
               (local->family == peer->family && memcmp(peer->ip, local->ip, 4) == 0);
    case WEIR_FAMILY_IP6:
        return memcmp(peer->ip, loopback6, 16) == 0 ||
               (local->family == peer->family && memcmp(peer->ip, local->ip, 16) == 0);
    default:
        return false;
    }
}

/* A Unix client has a user, too, which is not in his address. */
static bool client_of(struct weir_exchange *x, const struct weir_address *peer, struct client *out)
{
    if (x->client || peer->family == WEIR_FAMILY_UNIX)
        return guards_client(x, out);
    *out = (struct client){.family = peer->family, .uid = UINT32_MAX};
    memcpy(out->ip, peer->ip, peer->family == WEIR_FAMILY_IP4 ? 4 : sizeof(out->ip));
    return peer->family != WEIR_FAMILY_NONE;
}

static bool may_see(const struct status *status, struct weir_exchange *x)
{
    struct weir_address peer = {.family = WEIR_FAMILY_NONE}, local;
    struct client client;
    if (status->any)
        return true;
    if (!x->client && x->driver->ops->ends) { /* who is spoken for by a proxy is not local */
        x->driver->ops->ends(x->driver, x->conn, &peer, &local);
        if (is_local(&peer, &local))
            return true;
    }
    if (!client_of(x, &peer, &client))
        return false;
    for (unsigned i = 0; i < status->allow_count; i++)
        if (net_has(&status->allow[i], &client))
            return true;
    return false;
}

/* --- answers --- */

static int reply_head(struct weir_exchange *x, const char *type)
{
    int rc = weir_reply_field(x, "Content-Type", type);
    if (rc == 0)
        rc = weir_reply_field(x, "Cache-Control", "no-store");
    if (rc == 0)
        rc = weir_reply_field(x, "X-Content-Type-Options", "nosniff");
    return rc;
}

static int reply_page(struct weir_exchange *x)
{
    int rc = reply_head(x, "text/html; charset=utf-8");
    if (rc == 0)
        rc = weir_reply_field(x, "Content-Security-Policy", policy);
    if (rc == 0)
        rc = weir_reply_field(x, "Vary", "Accept");
    return rc < 0 ? rc : weir_reply_bytes(x, page, sizeof(page) - 1, NULL);
}

static int reply_metrics(struct weir_exchange *x, const struct status *status, bool vary)
{
    struct text t;
    char *memory = weir_exchange_alloc(x, LIMIT_STATUS_TEXT_BYTES);
    if (!memory)
        return -ENOMEM;
    text_init(&t, memory, LIMIT_STATUS_TEXT_BYTES);
    if (!status_metrics(status, &t))
        return -ENOMEM;
    int rc = reply_head(x, "text/plain; version=0.0.4; charset=utf-8");
    if (rc == 0 && vary)
        rc = weir_reply_field(x, "Vary", "Accept");
    return rc < 0 ? rc : weir_reply_bytes(x, t.at, t.len, NULL);
}

static int reply_events(struct weir_exchange *x)
{
    struct stream *stream = weir_exchange_state(x);
    uint64_t now = x->driver->now.mono_ns;
    int rc = reply_head(x, "text/event-stream");
    stream->on = true;
    stream->next_ns = now;
    stream->until_ns = now + LIMIT_STATUS_STREAM_MS * WEIR_NS_PER_MS;
    return rc < 0 ? rc : weir_reply_begin(x);
}

static bool wants_html(const struct weir_exchange *x)
{
    struct weir_bytes accept = exchange_field(x, FIELD_ACCEPT);
    return accept.len > 0 && memmem(accept.at, accept.len, "text/html", 9) != NULL;
}

static int refuse_method(struct weir_exchange *x)
{
    bool asks = x->method == WEIR_METHOD_OPTIONS;
    int rc = weir_reply_field(x, "Allow", "GET, HEAD, OPTIONS");
    if (rc < 0 || !asks)
        return rc < 0 ? rc : weir_reply_error(x, 405);
    rc = weir_reply_status(x, 204);
    return rc < 0 ? rc : weir_reply_begin(x);
}

/* The path came here because it begins with the prefix, once cleaned: the rest is looked at as it is. */
static int start(struct weir_exchange *x)
{
    const struct status *status = weir_exchange_config(x);
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path;
    if (!may_see(status, x))
        return weir_reply_error(x, 403);
    if (x->method != WEIR_METHOD_GET && x->method != WEIR_METHOD_HEAD)
        return refuse_method(x);
    if (path_clean(weir_request_path(x), buffer, sizeof(buffer), &path) != PATH_CLEAN)
        return -ENOENT;
    struct weir_bytes rest = {path.at + status->prefix_len, path.len - status->prefix_len};
    if (rest.len == 0 || bytes_equal(rest, BYTES("/")))
        return wants_html(x) ? reply_page(x) : reply_metrics(x, status, true);
    if (bytes_equal(rest, BYTES("/metrics")))
        return reply_metrics(x, status, false);
    return bytes_equal(rest, BYTES("/events")) ? reply_events(x) : -ENOENT;
}

/* --- the stream of events --- */

static int give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    struct stream *stream = weir_exchange_state(x);
    uint64_t now = x->driver->now.mono_ns;
    char event[EVENT_MAX];
    struct text t;
    if (!stream->on || stream->over || now >= stream->until_ns)
        return WEIR_FLOW_END;
    if (now < stream->next_ns || room < sizeof(event))
        return WEIR_FLOW_WAIT;
    text_init(&t, event, sizeof(event));
    text_str(&t, "retry: 500\n");
    if (!status_event(weir_exchange_config(x), &t, x->driver->now))
        return -ENOMEM;
    weir_out_copy(out, t.at, t.len);
    stream->next_ns = now + LIMIT_STATUS_EVENT_MS * WEIR_NS_PER_MS;
    x->deadline_ns = stream->next_ns; /* HTTP sees it when this returns */
    return WEIR_FLOW_MORE;
}

static void expire(struct weir_exchange *x)
{
    const struct stream *stream = weir_exchange_state(x);
    if (stream->next_ns > x->driver->now.mono_ns)
        weir_exchange_arm(x, stream->next_ns);
    else
        weir_exchange_wake(x);
}

/* Somebody else wants the place, or the server stops: the browser will come again. */
static void leave(struct weir_exchange *x)
{
    struct stream *stream = weir_exchange_state(x);
    stream->over = true;
    weir_exchange_wake(x);
}

const struct weir_handler status_handler = {
    .name = "status",
    .state_size = sizeof(struct stream),
    .start = start,
    .give = give,
    .expire = expire,
    .leave = leave,
};
