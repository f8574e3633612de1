/* How an answer begins and ends on the wire. */
#include "base/bytes.h"
#include "base/text.h"
#include "http/exchange.h"
#include "rpc/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a field goes. */
enum place { HEAD, TRAILERS };

/* A program's, or made of what a program said. */
static int put(struct weir_exchange *x, enum place place, const char *name, const char *value)
{
    return place == HEAD ? weir_reply_field(x, name, value) : weir_reply_trailer(x, name, value);
}

static int put_own(struct weir_exchange *x, enum place place, struct weir_bytes name,
                   struct weir_bytes value)
{
    return reply_line(x, place == HEAD ? &x->lines : &x->trailers, name, value);
}

static int put_status(struct weir_exchange *x, enum place place, int code, const char *message)
{
    char number[16];
    struct text t;
    text_init(&t, number, sizeof(number));
    text_u64(&t, (uint64_t)code);
    int rc = put_own(x, place, BYTES("grpc-status"), (struct weir_bytes){number, t.len});
    size_t len = message ? strlen(message) : 0;
    if (rc < 0 || len == 0)
        return rc;
    len = len < LIMIT_RPC_STATUS_TEXT ? len : LIMIT_RPC_STATUS_TEXT;
    char *text = malloc(3 * len + 1);
    if (!text)
        return -ENOMEM;
    rpc_percent_encode(message, len, text);
    rc = put(x, place, "grpc-message", text);
    free(text);
    return rc == -ENOBUFS ? 0 : rc; /* the code is what counts */
}

static int put_binary(struct weir_exchange *x, enum place place, const char *name,
                      const void *bytes, size_t len)
{
    char *text = malloc(RPC_BASE64_LEN(len) + 1);
    if (!text)
        return -ENOMEM;
    text[rpc_base64_encode(bytes, len, text)] = '\0';
    int rc = put(x, place, name, text);
    free(text);
    return rc;
}

static int put_entries(struct weir_exchange *x, enum place place, const struct rpc_entries *list)
{
    int rc = 0;
    for (unsigned i = 0; i < list->count && rc == 0; i++) {
        const struct weir_rpc_entry *entry = &list->at[i];
        if (rpc_name_is_binary(bytes_str(entry->name)))
            rc = put_binary(x, place, entry->name, entry->value.at, entry->value.len);
        else
            rc = put(x, place, entry->name, entry->value.at);
        rc = rc == -EINVAL ? 0 : rc; /* a name that may not come there */
    }
    return rc;
}

static int put_end(struct weir_rpc_context *c, enum place place)
{
    int rc = put_status(c->x, place, c->code, c->message);
    if (rc == 0 && c->details_len > 0)
        rc = put_binary(c->x, place, "grpc-status-details-bin", c->details, c->details_len);
    return rc < 0 ? rc : put_entries(c->x, place, &c->trailers);
}

int serving_refuse(struct weir_exchange *x, int code, const char *message)
{
    int rc = weir_reply_status(x, 200);
    if (rc == 0)
        rc = put_own(x, HEAD, BYTES("content-type"), BYTES("application/grpc"));
    if (rc == 0)
        rc = put_status(x, HEAD, code, message);
    return rc < 0 ? rc : weir_reply_bytes(x, NULL, 0, NULL);
}

static int put_head(struct weir_rpc_context *c)
{
    int rc = put_own(c->x, HEAD, BYTES("content-type"), BYTES("application/grpc"));
    if (rc == 0 && c->gzip)
        rc = put_own(c->x, HEAD, BYTES("grpc-encoding"), BYTES("gzip"));
    return rc < 0 ? rc : put_entries(c->x, HEAD, &c->head);
}

int serving_begin(struct weir_rpc_context *c)
{
    c->begun = true;
    int rc = put_head(c);
    return rc < 0 ? rc : weir_reply_begin(c->x);
}

int serving_trailers(struct weir_rpc_context *c)
{
    c->ended = true;
    return put_end(c, TRAILERS);
}

/* Nothing but a status, with whatever goes with it. */
static int end_at_once(struct weir_rpc_context *c)
{
    c->begun = c->ended = true;
    int rc = put_head(c);
    if (rc == 0)
        rc = put_end(c, HEAD);
    return rc < 0 ? rc : weir_reply_bytes(c->x, NULL, 0, NULL);
}

/* The one message there is, and all that goes with it: HTTP/2 has trailers behind content that is there at once. */
static int end_with_message(struct weir_rpc_context *c)
{
    struct weir_exchange *x = c->x;
    struct rpc_message *m = rpc_queue_take(&c->out);
    c->begun = true;
    int rc = put_head(c);
    if (rc == 0)
        rc = serving_trailers(c);
    if (rc == 0)
        rc = weir_reply_bytes(x, m->bytes, m->len, &m->ref);
    x->reply_len = WEIR_LENGTH_UNKNOWN; /* gRPC's answers do not tell it */
    weir_drop(&m->ref);
    return rc;
}

static bool is_whole(const struct weir_rpc_context *c)
{
    return c->finished && c->out.first && !c->out.first->next && weir_request_version(c->x) >= 20;
}

void serving_set_status(struct weir_rpc_context *c, int code, const char *message)
{
    c->code = code;
    free(c->message);
    c->message = strdup(message);
    c->details_len = 0;
}

void serving_finish(struct weir_rpc_context *c)
{
    if (!c->x || c->ended)
        return;
    int rc = 0;
    c->x->whole |= c->finished;
    if (c->begun)
        weir_exchange_wake(c->x);
    else if (c->out.len == 0 && c->finished)
        rc = end_at_once(c);
    else if (is_whole(c))
        rc = end_with_message(c);
    else
        rc = serving_begin(c);
    if (rc < 0) /* what does not fit fields: INTERNAL_ERROR of RFC 9113 section 7 */
        weir_exchange_reset(c->x, 2);
}
