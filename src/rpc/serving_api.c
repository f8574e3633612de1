/* What the function that answers a call may ask. */
#include "base/bytes.h"
#include "rpc/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static _Thread_local struct weir_rpc_context *entered;

void serving_enter(struct weir_rpc_context *c)
{
    entered = c;
}

void serving_leave(void)
{
    entered = NULL;
}

WEIR_API struct weir_rpc_context *weir_rpc_context(void)
{
    return entered;
}

/* --- metadata --- */

/* HTTP's, and gRPC's own. */
static bool is_plumbing(struct weir_bytes name)
{
    static const char *const names[] = {"te", "content-type", "content-length", "host",
                                        "connection"};
    if (name.len == 0 || name.at[0] == ':' || bytes_starts(name, BYTES("grpc-")))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bytes_same(name, bytes_str(names[i])))
            return true;
    return false;
}

/* The request's fields, once somebody asks. Only the function's own thread does. */
static void read_metadata(struct weir_rpc_context *c)
{
    struct weir_bytes name, value;
    c->metadata_read = true;
    for (unsigned at = 0; c->held && weir_request_next(c->held, &at, &name, &value);)
        if (!is_plumbing(name))
            (void)!rpc_entries_add(&c->metadata, name, value); /* what is no base64 is left out */
}

WEIR_API bool weir_rpc_metadata(struct weir_rpc_context *c, unsigned *at,
                                const struct weir_rpc_entry **out)
{
    if (!c->metadata_read)
        read_metadata(c);
    if (*at >= c->metadata.count)
        return false;
    *out = &c->metadata.at[(*at)++];
    return true;
}

/* As it is: it is encoded when it is sent. */
static int add_entry(struct weir_rpc_context *c, struct rpc_entries *list, bool late,
                     const struct weir_rpc_entry *entry)
{
    int rc = rpc_entry_check(entry);
    if (rc < 0)
        return rc;
    serving_lock(c);
    rc = late ? -EALREADY : rpc_entries_add_raw(list, bytes_str(entry->name), entry->value);
    serving_unlock(c);
    return rc;
}

WEIR_API int weir_rpc_add_head(struct weir_rpc_context *c, const struct weir_rpc_entry *entry)
{
    return add_entry(c, &c->head, c->begun, entry);
}

WEIR_API int weir_rpc_add_trailer(struct weir_rpc_context *c, const struct weir_rpc_entry *entry)
{
    return add_entry(c, &c->trailers, c->ended, entry);
}

/* --- how it stands --- */

WEIR_API int64_t weir_rpc_time_left_ms(const struct weir_rpc_context *c)
{
    struct timespec now;
    if (!c->deadline_ns)
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left =
        (int64_t)c->deadline_ns - (int64_t)now.tv_sec * (int64_t)WEIR_NS_PER_S - now.tv_nsec;
    return left > 0 ? left / (int64_t)WEIR_NS_PER_MS : 0;
}

WEIR_API bool weir_rpc_cancelled(struct weir_rpc_context *c)
{
    serving_lock(c);
    bool cancelled = !c->x || c->ended;
    serving_unlock(c);
    return cancelled;
}

WEIR_API struct weir_exchange *weir_rpc_exchange(struct weir_rpc_context *c)
{
    return c->x;
}

static int set_status(struct weir_rpc_context *c, int code, const char *message,
                      struct weir_bytes details)
{
    char *text = strdup(message ? message : "");
    void *copy = details.len ? malloc(details.len) : NULL;
    if (!text || (details.len && !copy)) {
        free(text);
        free(copy);
        return -ENOMEM;
    }
    if (details.len)
        memcpy(copy, details.at, details.len);
    free(c->message);
    free(c->details);
    c->code = code > 0 && code <= WEIR_RPC_UNAUTHENTICATED ? code : (int)WEIR_RPC_UNKNOWN;
    c->message = text;
    c->details = copy;
    c->details_len = details.len < LIMIT_RPC_STATUS_DETAILS ? details.len : 0;
    return 0;
}

WEIR_API int weir_rpc_fail(struct weir_rpc_context *c, int code, const char *message,
                           struct weir_bytes details)
{
    serving_lock(c);
    int rc = c->finished ? -EALREADY : set_status(c, code, message, details);
    serving_unlock(c);
    return rc;
}

/* --- messages --- */

WEIR_API int weir_rpc_read(struct weir_rpc_context *c, ProtobufCMessage **out)
{
    if (c->kind != SERVING_HELPER)
        return -EINVAL;
    serving_lock(c);
    while (c->x && !c->ended && !c->in.first && !c->in_ended && !c->in_error)
        pthread_cond_wait(&c->changed, &c->lock);
    struct rpc_message *m = rpc_queue_take(&c->in);
    int rc = m ? 1 : !c->x || c->ended ? -EPIPE : c->in_error;
    if (m && c->in_held && rpc_queue_held(&c->in) < LIMIT_RPC_HELD) {
        c->in_held = false;
        serving_helper_tell(c);
    }
    serving_unlock(c);
    if (!m)
        return rc;
    ProtobufCMessage *message = rpc_unpack(c->method->input, m->bytes, m->len);
    weir_drop(&m->ref);
    if (message)
        *out = message;
    return message ? 1 : -EBADMSG;
}

/* Takes it. */
static int write_message(struct weir_rpc_context *c, struct rpc_message *m)
{
    int rc = 0;
    serving_lock(c);
    while (serving_on_helper(c) && c->x && !c->ended && c->out.len >= LIMIT_RPC_QUEUED)
        pthread_cond_wait(&c->changed, &c->lock);
    if (!c->x || c->ended || c->finished)
        rc = -EPIPE;
    else if (c->out.len >= LIMIT_RPC_QUEUED)
        rc = -EAGAIN;
    c->out_refused |= rc == -EAGAIN;
    if (rc == 0)
        rpc_queue_add(&c->out, m);
    else
        weir_drop(&m->ref);
    if (rc == 0 && serving_on_helper(c))
        serving_helper_tell(c);
    else if (rc == 0)
        serving_finish(c);
    serving_unlock(c);
    return rc;
}

WEIR_API int weir_rpc_write(struct weir_rpc_context *c, const ProtobufCMessage *message)
{
    struct rpc_message *m;
    if (c->method->output && message->descriptor != c->method->output)
        return -EINVAL;
    int rc = rpc_message_pack(message, c->gzip, LIMIT_RPC_MESSAGE_MOST, &m);
    return rc < 0 ? rc : write_message(c, m);
}

WEIR_API int weir_rpc_write_bytes(struct weir_rpc_context *c, const void *bytes, size_t len)
{
    struct rpc_message *m;
    int rc = rpc_message_copy(bytes, len, c->gzip, LIMIT_RPC_MESSAGE_MOST, &m);
    return rc < 0 ? rc : write_message(c, m);
}

/* --- the end --- */

WEIR_API void weir_rpc_done(struct weir_rpc_context *c)
{
    if (c->finished)
        return;
    c->finished = true;
    serving_finish(c);
}

WEIR_API void weir_rpc_tick(struct weir_rpc_context *c, uint64_t mono_ns)
{
    c->tick_ns = mono_ns;
    serving_arm(c);
}

/* With the lock held, if there is one. */
static void answer(struct weir_rpc_context *c, struct rpc_message *m, int error)
{
    if (m && c->x && !c->ended)
        rpc_queue_add(&c->out, m);
    else if (m)
        weir_drop(&m->ref);
    else if (error)
        serving_set_status(c, error == -EMSGSIZE ? WEIR_RPC_RESOURCE_EXHAUSTED : WEIR_RPC_INTERNAL,
                           "the answer cannot be sent");
    else if (c->code == WEIR_RPC_OK)
        serving_set_status(c, WEIR_RPC_UNKNOWN, "the service gave no answer");
    if (m)
        c->code = WEIR_RPC_OK; /* an answer is a success, whatever was said before */
    c->finished = true;
}

void serving_answered(const ProtobufCMessage *reply, void *data)
{
    struct weir_rpc_context *c = data;
    struct rpc_message *m = NULL;
    int rc = reply ? rpc_message_pack(reply, c->gzip, LIMIT_RPC_MESSAGE_MOST, &m) : 0;
    serving_lock(c);
    bool again = c->answered;
    c->answered = true;
    if (!c->finished)
        answer(c, m, rc);
    else if (m)
        weir_drop(&m->ref);
    serving_unlock(c);
    if (again || serving_on_helper(c))
        return; /* the helper's end tells the connection's thread */
    serving_finish(c);
    weir_drop(&c->ref); /* the function's */
}
