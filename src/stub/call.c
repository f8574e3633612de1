/* Calls of a program, message by message. */
#include "stream/wait.h"
#include "stub/channel.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <stdlib.h>

static struct weir_rpc_call *outer(struct rpc_call *call)
{
    return (struct weir_rpc_call *)call;
}

/* --- begin and free --- */

int call_begin(struct weir_rpc_channel *ch, const struct weir_rpc_method *method,
               const struct weir_rpc_call_options *o, const struct rpc_client_events *tell,
               struct weir_rpc_call **out)
{
    unsigned timeout_ms = o && o->timeout_ms ? o->timeout_ms : ch->options.timeout_ms;
    struct weir_rpc_call *call =
        malloc(sizeof(*call)); /* calloc() does not look into a thread's cache */
    if (!call)
        return -ENOMEM;
    *call = (struct weir_rpc_call){.channel = ch, .call = {.method = method, .tell = tell}};
    unsigned spent_ms =
        ch->busy ? 0 : channel_connect(ch, timeout_ms <= INT32_MAX ? (int)timeout_ms : INT32_MAX);
    if (timeout_ms)
        timeout_ms = spent_ms < timeout_ms ? timeout_ms - spent_ms : 1;
    ch->client.now_ns = ch->base.now.mono_ns = deadline_now();
    int rc = rpc_call_begin(&ch->client, &call->call, timeout_ms, o ? o->metadata : NULL,
                            o ? o->metadata_count : 0);
    if (rc < 0)
        free(call);
    else
        *out = call;
    return rc;
}

static void drop_lent(struct weir_rpc_call *call)
{
    if (call->lent)
        weir_drop(&call->lent->ref);
    call->lent = NULL;
}

void call_free(struct weir_rpc_call *call)
{
    if (!call)
        return;
    rpc_call_done(&call->call);
    drop_lent(call);
    free(call);
}

WEIR_API void weir_rpc_free(struct weir_rpc_call *call)
{
    if (!call)
        return;
    struct weir_rpc_channel *ch = call->channel;
    if (call->telling) {
        rpc_call_fail(&call->call, WEIR_RPC_CANCELLED, "cancelled");
        call->unwanted = true;
        return;
    }
    bool told = !call->call.ended;
    call_free(call);
    if (told)
        channel_push(ch);
}

WEIR_API void weir_rpc_cancel(struct weir_rpc_call *call)
{
    struct weir_rpc_channel *ch = call->channel;
    if (call->call.ended)
        return;
    rpc_call_fail(&call->call, WEIR_RPC_CANCELLED, "cancelled"); /* done() may free it */
    channel_push(ch);
}

/* --- events --- */

/* Whatever an event does to its call, that lives until the event is over. */
static bool enter_event(struct weir_rpc_call *call)
{
    bool outermost = !call->telling;
    call->telling = true;
    return outermost;
}

static void leave_event(struct weir_rpc_call *call, bool outermost)
{
    if (!outermost)
        return;
    call->telling = false;
    if (call->unwanted)
        call_free(call);
}

static void tell_messages(struct rpc_call *inner)
{
    struct weir_rpc_call *call = outer(inner);
    bool outermost = enter_event(call);
    for (struct rpc_message *m; !call->unwanted && (m = rpc_call_take(inner));) {
        if (call->events.message)
            call->events.message(call->arg, call, (struct weir_bytes){(char *)m->bytes, m->len});
        weir_drop(&m->ref);
    }
    leave_event(call, outermost);
}

static void tell_ready(struct rpc_call *inner)
{
    struct weir_rpc_call *call = outer(inner);
    bool outermost = enter_event(call);
    if (call->events.ready)
        call->events.ready(call->arg, call);
    leave_event(call, outermost);
}

static void tell_done(struct rpc_call *inner)
{
    struct weir_rpc_call *call = outer(inner);
    bool outermost = enter_event(call);
    if (call->events.done)
        call->events.done(call->arg, call, &inner->status);
    leave_event(call, outermost);
}

static const struct rpc_client_events told = {
    .message = tell_messages, .ready = tell_ready, .done = tell_done};
static const struct rpc_client_events untold;

WEIR_API int weir_rpc_begin(struct weir_rpc_channel *ch, const struct weir_rpc_method *method,
                            const struct weir_rpc_call_options *options,
                            const struct weir_rpc_events *events, void *arg,
                            struct weir_rpc_call **out)
{
    struct weir_rpc_call *call;
    int rc = channel_enter(ch);
    if (rc == 0 || rc == -EDEADLK)
        rc = call_begin(ch, method, options, events ? &told : &untold, &call);
    if (rc < 0)
        return rc;
    call->async = events;
    if (events)
        call->events = *events;
    call->arg = arg;
    *out = call;
    return 0;
}

/* --- sending --- */

static bool has_room(void *arg)
{
    struct weir_rpc_call *call = arg;
    return call->call.ended || !rpc_call_full(&call->call);
}

/* 0: there is room for one more message. */
static int wait_room(struct weir_rpc_call *call)
{
    if (call->call.ended)
        return -EPIPE;
    if (call->call.half)
        return -EINVAL;
    if (!rpc_call_full(&call->call))
        return 0;
    call->call.refused = call->async;
    if (call->async)
        return -EAGAIN;
    int rc = channel_enter(call->channel);
    if (rc == 0)
        rc = channel_pump(call->channel, has_room, call, DEADLINE_NEVER);
    return rc < 0 ? rc : call->call.ended ? -EPIPE : 0;
}

static int hand_over(struct weir_rpc_call *call, struct rpc_message *m)
{
    int rc = rpc_call_send(&call->call, m);
    if (rc == 0)
        channel_push(call->channel);
    return rc;
}

static bool compresses(const struct weir_rpc_call *call)
{
    return call->channel->client.options.gzip;
}

int call_send(struct weir_rpc_call *call, const ProtobufCMessage *message)
{
    struct rpc_message *m;
    int rc =
        rpc_message_pack(message, compresses(call), call->channel->client.options.send_max, &m);
    return rc < 0 ? rc : rpc_call_send(&call->call, m);
}

WEIR_API int weir_rpc_send(struct weir_rpc_call *call, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *input = call->call.method->input;
    struct rpc_message *m;
    int rc = input && message->descriptor != input ? -EINVAL : wait_room(call);
    if (rc == 0)
        rc =
            rpc_message_pack(message, compresses(call), call->channel->client.options.send_max, &m);
    return rc < 0 ? rc : hand_over(call, m);
}

WEIR_API int weir_rpc_send_bytes(struct weir_rpc_call *call, const void *bytes, size_t len)
{
    struct rpc_message *m;
    int rc = wait_room(call);
    if (rc == 0)
        rc = rpc_message_copy(bytes, len, compresses(call), call->channel->client.options.send_max,
                              &m);
    return rc < 0 ? rc : hand_over(call, m);
}

WEIR_API int weir_rpc_end(struct weir_rpc_call *call)
{
    if (call->call.ended)
        return -EPIPE;
    rpc_call_half_close(&call->call);
    channel_push(call->channel);
    return 0;
}

/* --- receiving --- */

static bool has_message(void *arg)
{
    struct weir_rpc_call *call = arg;
    return call->call.in.first || call->call.ended;
}

static bool has_head(void *arg)
{
    struct weir_rpc_call *call = arg;
    return call->call.head_known || call->call.ended;
}

static bool has_ended(void *arg)
{
    struct weir_rpc_call *call = arg;
    while (!call->call.ended &&
           call->call.in.first) /* nobody wants them, and they would hold the end up */
        weir_drop(&rpc_call_take(&call->call)->ref);
    return call->call.ended;
}

static int wait_for(struct weir_rpc_call *call, bool (*enough)(void *), int timeout_ms)
{
    int rc = channel_enter(call->channel);
    if (rc < 0 || enough(call))
        return rc;
    return channel_pump(call->channel, enough, call, deadline_in(timeout_ms));
}

WEIR_API int weir_rpc_receive_bytes(struct weir_rpc_call *call, int timeout_ms,
                                    struct weir_bytes *out)
{
    drop_lent(call);
    int rc = wait_for(call, has_message, timeout_ms);
    if (rc < 0)
        return rc;
    call->lent = rpc_call_take(&call->call);
    if (!call->lent)
        return 0;
    *out = (struct weir_bytes){(char *)call->lent->bytes, call->lent->len};
    return 1;
}

WEIR_API int weir_rpc_receive(struct weir_rpc_call *call, int timeout_ms, ProtobufCMessage **out)
{
    struct weir_bytes bytes;
    int rc = weir_rpc_receive_bytes(call, timeout_ms, &bytes);
    if (rc <= 0)
        return rc;
    ProtobufCMessage *message = rpc_unpack(call->call.method->output, bytes.at, bytes.len);
    drop_lent(call);
    if (!message) {
        rpc_call_fail(&call->call, WEIR_RPC_INTERNAL, "a message cannot be unpacked");
        channel_push(call->channel);
        return -EBADMSG;
    }
    *out = message;
    return 1;
}

WEIR_API int weir_rpc_finish(struct weir_rpc_call *call, int timeout_ms,
                             const struct weir_rpc_status **out)
{
    int rc = wait_for(call, has_ended, timeout_ms);
    if (rc < 0)
        return rc;
    if (out)
        *out = &call->call.status;
    return call->call.status.code;
}

WEIR_API int weir_rpc_wait_head(struct weir_rpc_call *call, int timeout_ms)
{
    return wait_for(call, has_head, timeout_ms);
}

static bool next_entry(const struct rpc_entries *list, unsigned *at,
                       const struct weir_rpc_entry **out)
{
    if (*at >= list->count)
        return false;
    *out = &list->at[(*at)++];
    return true;
}

WEIR_API bool weir_rpc_head(const struct weir_rpc_call *call, unsigned *at,
                            const struct weir_rpc_entry **out)
{
    return next_entry(&call->call.head, at, out);
}

WEIR_API bool weir_rpc_trailer(const struct weir_rpc_call *call, unsigned *at,
                               const struct weir_rpc_entry **out)
{
    return next_entry(&call->call.trailers, at, out);
}

/* --- several at once --- */

struct told_before {
    struct weir_rpc_channel *ch;
    uint64_t count;
};

static bool something_told(void *arg)
{
    struct told_before *before = arg;
    return before->ch->client.told != before->count || before->ch->client.count == 0;
}

WEIR_API int weir_rpc_run(struct weir_rpc_channel *ch, int timeout_ms)
{
    int rc = channel_enter(ch);
    if (rc < 0)
        return rc;
    if (ch->client.count == 0)
        return -ENOENT;
    struct told_before before = {ch, ch->client.told};
    return channel_pump(ch, something_told, &before, deadline_in(timeout_ms));
}
