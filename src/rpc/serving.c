/* One call, as a handler of an exchange. */
#include "base/bytes.h"
#include "http/exchange.h"
#include "rpc/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void serving_lock(struct weir_rpc_context *c)
{
    if (serving_on_helper(c))
        pthread_mutex_lock(&c->lock);
}

void serving_unlock(struct weir_rpc_context *c)
{
    if (serving_on_helper(c))
        pthread_mutex_unlock(&c->lock);
}

static struct weir_rpc_context *context_of(struct weir_exchange *x)
{
    return *(struct weir_rpc_context **)weir_exchange_state(x);
}

static void context_free(struct weir_ref *ref)
{
    struct weir_rpc_context *c = (struct weir_rpc_context *)ref;
    if (serving_on_helper(c)) {
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->lock);
        weir_exchange_drop(c->held);
    }
    if (c->input)
        protobuf_c_message_free_unpacked(c->input, NULL);
    rpc_deframer_done(&c->frame);
    rpc_queue_done(&c->in);
    rpc_queue_done(&c->out);
    rpc_entries_done(&c->metadata);
    rpc_entries_done(&c->head);
    rpc_entries_done(&c->trailers);
    free(c->message);
    free(c->details);
    free(c);
}

/* --- the beginning --- */

static bool is_grpc(const struct weir_exchange *x)
{
    struct weir_bytes type;
    return weir_request_field(x, "content-type", &type) &&
           bytes_starts(type, BYTES("application/grpc"));
}

/* HTTP/2 has them. HTTP/1.1 does for clients that say so: none of gRPC's does, but whoever looks with a simpler tool. */
static bool takes_trailers(const struct weir_exchange *x)
{
    struct weir_bytes te, one;
    if (weir_request_version(x) >= 20)
        return true;
    if (weir_request_version(x) < 11 || !weir_request_field(x, "te", &te))
        return false;
    while (bytes_next(&te, &one))
        if (bytes_same(one, BYTES("trailers")))
            return true;
    return false;
}

static const struct weir_rpc_method *find_method(const struct served *served,
                                                 struct weir_bytes path, unsigned *out_index)
{
    const struct weir_rpc_service *service = served->given.service;
    for (unsigned i = 0; i < service->method_count; i++) {
        if (bytes_equal(bytes_str(service->methods[i].path), path)) {
            *out_index = i;
            return &service->methods[i];
        }
    }
    return NULL;
}

static const struct weir_rpc_streaming *find_row(const struct served *served,
                                                 const struct weir_rpc_method *method)
{
    const char *name = strrchr(method->path, '/') + 1;
    for (unsigned i = 0; i < served->given.method_count; i++)
        if (strcmp(served->given.methods[i].method, name) == 0)
            return &served->given.methods[i];
    return NULL;
}

/* The client may compress what it sends, and take what is compressed. -EOPNOTSUPP: in a way that this server does not know. */
static int agree_on_gzip(struct weir_rpc_context *c)
{
    struct weir_bytes value, one;
    if (weir_request_field(c->x, "grpc-encoding", &value)) {
        c->frame.gzip = bytes_equal(value, BYTES("gzip"));
        if (!c->frame.gzip && !bytes_equal(value, BYTES("identity")))
            return -EOPNOTSUPP;
    }
    if (!c->served->server->options.gzip ||
        !weir_request_field(c->x, "grpc-accept-encoding", &value))
        return 0;
    while (bytes_next(&value, &one))
        c->gzip |= bytes_equal(one, BYTES("gzip"));
    return 0;
}

static int read_deadline(struct weir_rpc_context *c)
{
    struct weir_bytes text;
    uint64_t ns;
    if (!weir_request_field(c->x, "grpc-timeout", &text))
        return 0;
    int rc = rpc_timeout_parse(text, &ns);
    if (rc == 0) {
        c->deadline_ns = weir_exchange_driver(c->x)->now.mono_ns + ns;
        serving_arm(c);
    }
    return rc;
}

static enum serving_kind kind_of(const struct served *served, const struct weir_rpc_streaming *row)
{
    if (row)
        return row->answer ? SERVING_HELPER : SERVING_REACTOR;
    return served->given.blocking ? SERVING_HELPER_CLOSURE : SERVING_CLOSURE;
}

static struct weir_rpc_context *context_new(struct weir_exchange *x, const struct served *served)
{
    struct weir_rpc_context *c =
        malloc(sizeof(*c)); /* calloc() does not look into a thread's cache */
    if (!c)
        return NULL;
    *c = (struct weir_rpc_context){.ref = {1, context_free},
                                   .served = served,
                                   .x = x,
                                   .held = x,
                                   .frame = {.max = served->server->options.receive_max}};
    *(struct weir_rpc_context **)weir_exchange_state(x) = c;
    return c;
}

/* From now on two threads look at it: the request's head is copied before, so that nothing of it changes. */
static int share(struct weir_rpc_context *c, enum serving_kind kind)
{
    if (exchange_keep(c->x) < 0)
        return -ENOMEM;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    weir_exchange_hold(c->held);
    c->kind = kind;
    return 0;
}

static int refuse(struct weir_rpc_context *c, int code, const char *message)
{
    c->ended = c->begun = true;
    return serving_refuse(c->x, code, message);
}

/* When the client's deadline passes, or something is looked at again. */
void serving_arm(struct weir_rpc_context *c)
{
    uint64_t at = c->deadline_ns;
    if (c->tick_ns && (!at || c->tick_ns < at))
        at = c->tick_ns;
    if (c->x)
        weir_exchange_arm(c->x, at);
}

/* Where all helpers are busy, and as many wait as may, it is tried again a little later, for a while. 0 or -errno. */
static int start_helper(struct weir_rpc_context *c)
{
    uint64_t now = weir_exchange_driver(c->x)->now.mono_ns;
    int rc = serving_helper_start(c);
    c->asked = rc == 0;
    c->tick_ns = 0;
    if (!c->busy_ns)
        c->busy_ns = now;
    if (rc == -EAGAIN && now - c->busy_ns < LIMIT_RPC_HELPER_WAIT_MS * WEIR_NS_PER_MS) {
        c->tick_ns = now + LIMIT_RPC_HELPER_RETRY_MS * WEIR_NS_PER_MS;
        rc = 0;
        serving_arm(c);
    }
    return rc;
}

static int start_function(struct weir_rpc_context *c, enum serving_kind kind)
{
    if (kind < SERVING_HELPER_CLOSURE)
        c->kind = kind;
    else if (share(c, kind) < 0)
        return refuse(c, WEIR_RPC_RESOURCE_EXHAUSTED, "no memory");
    if (c->kind == SERVING_HELPER)
        return start_helper(c) < 0 ? refuse(c, WEIR_RPC_UNAVAILABLE, "all helpers are busy") : 0;
    if (c->kind == SERVING_REACTOR && c->row->reactor->begun) {
        c->asked = true;
        c->row->reactor->begun(c, c->row->arg);
    }
    c->asked |= c->kind == SERVING_REACTOR;
    return 0;
}

static int serving_start(struct weir_exchange *x)
{
    const struct weir_route *route = weir_exchange_config(x);
    const struct served *served = route->arg;
    if (!is_grpc(x))
        return weir_reply_error(x, 415);
    if (!takes_trailers(x))
        return weir_reply_error(x, 505);
    struct weir_rpc_context *c = context_new(x, served);
    if (!c)
        return serving_refuse(x, WEIR_RPC_RESOURCE_EXHAUSTED, "no memory");
    c->method = find_method(served, weir_request_path(x), &c->index);
    if (!c->method)
        return refuse(c, WEIR_RPC_UNIMPLEMENTED, "no such method");
    c->row = find_row(served, c->method);
    bool streams = c->method->client_streaming || c->method->server_streaming;
    if (!c->row && (streams || !served->given.implementation))
        return refuse(c, WEIR_RPC_UNIMPLEMENTED, "nobody answers this method");
    if (agree_on_gzip(c) < 0)
        return refuse(c, WEIR_RPC_UNIMPLEMENTED,
                      "messages can be compressed by gzip, or not at all");
    if (read_deadline(c) < 0)
        return refuse(c, WEIR_RPC_INTERNAL, "grpc-timeout is none");
    if (c->deadline_ns && c->deadline_ns <= weir_exchange_driver(x)->now.mono_ns)
        return refuse(c, WEIR_RPC_DEADLINE_EXCEEDED, "the deadline has passed");
    if (c->method->client_streaming)
        weir_exchange_last(x);
    return start_function(c, kind_of(served, c->row));
}

/* --- what the client sends --- */

/* It is not the function that ends the call. */
static void end_early(struct weir_rpc_context *c, int code, const char *message)
{
    serving_set_status(c, code, message);
    c->finished = true;
    rpc_queue_done(&c->in);
    rpc_queue_done(&c->out);
    if (serving_on_helper(c))
        serving_helper_signal(c);
    serving_finish(c);
}

static void end_for(struct weir_rpc_context *c, int error)
{
    c->in_error = error;
    if (error == -EMSGSIZE)
        end_early(c, WEIR_RPC_RESOURCE_EXHAUSTED, "a message is longer than this server takes");
    else if (error == -ENOMEM)
        end_early(c, WEIR_RPC_RESOURCE_EXHAUSTED, "no memory");
    else
        end_early(c, WEIR_RPC_INTERNAL, "what came is no message of gRPC");
}

static void tell_reactor(struct weir_rpc_context *c)
{
    const struct weir_rpc_reactor *reactor = c->row->reactor;
    for (struct rpc_message *m; !c->finished && (m = rpc_queue_take(&c->in));) {
        if (reactor->bytes)
            reactor->bytes(c, c->row->arg, (struct weir_bytes){(char *)m->bytes, m->len});
        ProtobufCMessage *message =
            reactor->message ? rpc_unpack(c->method->input, m->bytes, m->len) : NULL;
        weir_drop(&m->ref);
        if (message) {
            reactor->message(c, c->row->arg, message);
            protobuf_c_message_free_unpacked(message, NULL);
        } else if (reactor->message) {
            end_early(c, WEIR_RPC_INTERNAL, "a message cannot be unpacked");
        }
    }
}

/* More than enough waits to be read, or a reactor could not write: the client is held back. */
static bool is_full(const struct weir_rpc_context *c)
{
    return (c->kind == SERVING_HELPER && rpc_queue_held(&c->in) >= LIMIT_RPC_HELD) ||
           (c->kind == SERVING_REACTOR && c->out.len >= LIMIT_RPC_QUEUED);
}

static void take_message(struct weir_rpc_context *c, struct rpc_message *m)
{
    rpc_queue_add(&c->in, m);
    if (c->kind == SERVING_REACTOR)
        tell_reactor(c);
    else if (c->kind != SERVING_HELPER && c->in.first->next)
        end_early(c, WEIR_RPC_INTERNAL, "there must be one message, and there are more");
}

static size_t take_some(struct weir_rpc_context *c, const uint8_t *bytes, size_t len)
{
    size_t done = 0;
    while (done < len && !c->ended && !c->finished && !is_full(c)) {
        struct rpc_message *m;
        ssize_t n = rpc_deframe(&c->frame, bytes + done, len - done, &m);
        if (n < 0) {
            end_for(c, (int)n);
            return len;
        }
        done += (size_t)n;
        if (m)
            take_message(c, m);
    }
    if (c->ended || c->finished)
        return len; /* read past */
    c->in_held = done < len;
    return done;
}

static ssize_t serving_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    struct weir_rpc_context *c = context_of(x);
    if (!c)
        return (ssize_t)len;
    serving_lock(c);
    size_t n = take_some(c, bytes, len);
    if (serving_on_helper(c))
        serving_helper_signal(c);
    serving_unlock(c);
    return (ssize_t)n;
}

/* The one message of a call that does not stream has come: its function's turn. */
static void ask(struct weir_rpc_context *c)
{
    struct rpc_message *m = c->in.first;
    ProtobufCService *implementation = c->served->given.implementation;
    if (!m || m->next) {
        end_early(c, WEIR_RPC_INTERNAL, "there must be one message, and there is not");
        return;
    }
    c->input = rpc_unpack(c->method->input, m->bytes, m->len);
    rpc_queue_done(&c->in);
    if (!c->input) {
        end_early(c, WEIR_RPC_INTERNAL, "the message cannot be unpacked");
        return;
    }
    if (c->kind == SERVING_HELPER_CLOSURE) {
        if (start_helper(c) < 0)
            end_early(c, WEIR_RPC_UNAVAILABLE, "all helpers are busy");
        return;
    }
    c->asked = true;
    weir_hold(&c->ref);
    serving_enter(c);
    implementation->invoke(implementation, c->index, c->input, serving_answered, c);
    serving_leave();
}

static int serving_end(struct weir_exchange *x)
{
    struct weir_rpc_context *c = context_of(x);
    if (!c)
        return 0;
    weir_exchange_last(x); /* the client has said all: what follows has the call's own deadline */
    serving_lock(c);
    c->in_ended = true;
    if (!c->ended && !c->finished && !rpc_deframer_clean(&c->frame))
        end_early(c, WEIR_RPC_INTERNAL, "the request ends within a message");
    if (serving_on_helper(c))
        serving_helper_signal(c);
    bool goes_on = !c->ended && !c->finished;
    if (goes_on && c->kind == SERVING_HELPER_CLOSURE)
        ask(c);
    serving_unlock(c);
    if (goes_on && c->kind == SERVING_CLOSURE)
        ask(c);
    if (goes_on && c->kind == SERVING_REACTOR && c->row->reactor->ended)
        c->row->reactor->ended(c, c->row->arg);
    return 0;
}

/* --- what it is answered --- */

static int give_some(struct weir_rpc_context *c, struct weir_out *out, size_t room)
{
    if (c->out.len > 0) {
        rpc_queue_give(&c->out, out, c->out.len < room ? c->out.len : room);
        if (c->out.len > 0 || !c->finished)
            return WEIR_FLOW_MORE;
    }
    if (!c->finished)
        return WEIR_FLOW_WAIT;
    int rc = serving_trailers(c);
    return rc < 0 ? rc : WEIR_FLOW_END;
}

static int serving_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    struct weir_rpc_context *c = context_of(x);
    serving_lock(c);
    int flow = give_some(c, out, room);
    bool room_again = c->out.len < LIMIT_RPC_QUEUED / 2, ready = c->out_refused && room_again;
    if (ready)
        c->out_refused = false;
    if (c->in_held && room_again && c->kind == SERVING_REACTOR) {
        c->in_held = false;
        weir_exchange_wake(x);
    }
    if (serving_on_helper(c))
        serving_helper_signal(c);
    serving_unlock(c);
    if (ready && c->kind == SERVING_REACTOR && !c->finished && c->row->reactor->ready)
        c->row->reactor->ready(c, c->row->arg);
    return flow;
}

/* --- the end before the end --- */

static void serving_expire(struct weir_exchange *x)
{
    struct weir_rpc_context *c = context_of(x);
    uint64_t now = weir_exchange_driver(x)->now.mono_ns;
    if (c->deadline_ns && now >= c->deadline_ns) {
        serving_lock(c);
        if (!c->ended)
            end_early(c, WEIR_RPC_DEADLINE_EXCEEDED, "the deadline has passed");
        serving_unlock(c);
        return;
    }
    c->tick_ns = 0;
    serving_arm(c);
    if (serving_on_helper(c) && !c->asked) {
        serving_lock(c);
        if (!c->ended && start_helper(c) < 0)
            end_early(c, WEIR_RPC_UNAVAILABLE, "all helpers are busy");
        serving_unlock(c);
    }
    if (c->kind == SERVING_REACTOR && !c->finished && c->row->reactor->tick)
        c->row->reactor->tick(c, c->row->arg);
}

static void serving_leaving(struct weir_exchange *x)
{
    struct weir_rpc_context *c = context_of(x);
    if (c && c->kind == SERVING_REACTOR && !c->finished && c->row && c->row->reactor->leave)
        c->row->reactor->leave(c, c->row->arg);
}

static void serving_stop(struct weir_exchange *x, int why)
{
    struct weir_rpc_context *c = context_of(x);
    (void)why;
    if (!c)
        return;
    serving_lock(c);
    c->x = NULL;
    c->ended = true;
    if (serving_on_helper(c))
        serving_helper_signal(c);
    else
        c->held = NULL;
    serving_unlock(c);
    if (c->kind == SERVING_REACTOR && c->asked && c->row->reactor->over)
        c->row->reactor->over(c, c->row->arg);
    weir_drop(&c->ref);
}

const struct weir_handler rpc_handler = {
    .name = "rpc",
    .state_size = sizeof(struct weir_rpc_context *),
    .start = serving_start,
    .take = serving_take,
    .end = serving_end,
    .give = serving_give,
    .expire = serving_expire,
    .leave = serving_leaving,
    .stop = serving_stop,
};
