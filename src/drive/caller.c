/* Calls from straight-line code. */
#include "drive/caller.h"

#include "stream/fork.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <weir/process.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOSE_MS 5000 /* a child (exec:) that does not end when its input does */

/* --- open and close --- */

static void note_ready(void *arg, struct weir_conn *conn)
{
    (void)conn;
    ((struct weir_caller *)arg)->ready = true;
}

static struct weir_call_options options_of(struct weir_caller *c,
                                           const struct weir_caller_options *o)
{
    struct weir_call_options options = {.ready = note_ready, .arg = c, .idle_ms = WEIR_CALL_NEVER};
    if (!o)
        return options;
    options.calls_max = o->calls_max;
    options.bytes_max = o->bytes_max;
    options.ping_ms = o->ping_ms;
    options.silent_ms = o->silent_ms;
    return options;
}

static bool opened(const struct weir_caller *c)
{
    (void)c;
    return true;
}

static int init(struct weir_caller *c, const struct weir_caller_options *options)
{
    pool_init(&c->pool, 4);
    c->base.ops = &caller_ops;
    c->base.pool = &c->pool;
    c->base.hot_size = LIMIT_HOT_BYTES + LIMIT_CALL_BYTES; /* the most that is offered at once */
    c->base.now.mono_ns = deadline_now();
    c->owner = process_self();
    c->options = options_of(c, options);
    c->readable = c->writable = true;
    c->stream->alone = true;
    c->conn = weir_conn_new(&c->base, &weir_calls, &c->options);
    return c->conn ? caller_pump(c, opened, 0) : -ENOMEM;
}

WEIR_API int weir_caller_new(struct weir_stream *stream, const struct weir_caller_options *options,
                             struct weir_caller **out)
{
    struct weir_caller *c = calloc(1, sizeof(*c));
    bool both = stream->in_kind != FD_NONE && stream->out_kind != FD_NONE;
    if (!c || !both) {
        free(c);
        (void)weir_close(stream);
        return both ? -ENOMEM : -EINVAL;
    }
    c->stream = stream;
    int rc = init(c, options);
    if (rc < 0)
        (void)weir_caller_close(c);
    else
        *out = c;
    return rc;
}

WEIR_API int weir_caller_open(const char *endpoint, const struct weir_caller_options *options,
                              int timeout_ms, struct weir_caller **out)
{
    struct weir_stream *stream;
    int rc = weir_open(endpoint, WEIR_READ | WEIR_WRITE, timeout_ms, &stream);
    return rc < 0 ? rc : weir_caller_new(stream, options, out);
}

static void free_begun(struct weir_caller *c, struct begun *call)
{
    if (call->kept)
        c->kept_bytes -= call->answer.len;
    free(call->kept);
    free(call);
}

static void free_all(struct weir_caller *c)
{
    struct call_entry *all = call_table_cut(&c->begun, 0);
    for (struct call_entry *next; all; all = next) {
        next = all->later;
        free_begun(c, (struct begun *)all);
    }
    free(c->lent);
    free(c->in);
    pool_done(&c->pool);
    free(c);
}

/* After a fork the child, if the stream has one (exec:), is our parent's: it is neither killed nor waited for here. */
static int close_copy(struct weir_stream *stream)
{
    if (stream->child)
        close(weir_process_fd(stream->child));
    stream->child = NULL;
    return weir_close(stream);
}

WEIR_API int weir_caller_close(struct weir_caller *c)
{
    if (!c)
        return 0;
    bool ours = process_self() == c->owner;
    weir_conn_free(c->conn);
    if (c->stream->timeout_ms == WEIR_FOREVER)
        c->stream->timeout_ms = CLOSE_MS;
    near_done(&c->near);
    int rc = ours ? weir_close(c->stream) : close_copy(c->stream);
    free_all(c);
    return rc;
}

/* --- answers --- */

static bool is_wanted(const struct weir_caller *c, const struct begun *call)
{
    return !c->got && (c->next || c->wanted == call->entry.id);
}

/* It will be overwritten by what is read next. */
static void keep(struct weir_caller *c, struct begun *call, const void *bytes)
{
    size_t len = call->answer.len;
    call->answer.bytes = NULL;
    if (len == 0)
        return;
    if (c->kept_bytes + len <= LIMIT_CALLER_KEPT)
        call->kept = malloc(len);
    if (!call->kept) {
        call->answer = (struct weir_answer){.error = -ENOBUFS};
        return;
    }
    memcpy(call->kept, bytes, len);
    call->answer.bytes = call->kept;
    c->kept_bytes += len;
}

/* The machine has the answer, or there will be none. */
static void done(void *arg, const struct weir_answer *answer)
{
    struct begun *call = arg;
    struct weir_caller *c = call->caller;
    call->ended = true;
    call->answer = *answer;
    bool wanted = is_wanted(c, call);
    if (!wanted || !caller_in_buffer(c, answer->bytes))
        keep(c, call, answer->bytes);
    if (wanted) {
        c->got = call;
        return;
    }
    call->before = c->last_ended;
    *(c->last_ended ? &c->last_ended->after : &c->first_ended) = call;
    c->last_ended = call;
}

static void unlist(struct weir_caller *c, struct begun *call)
{
    *(call->before ? &call->before->after : &c->first_ended) = call->after;
    *(call->after ? &call->after->before : &c->last_ended) = call->before;
}

/* Hands the answer to the program and forgets the call. */
static void give(struct weir_caller *c, struct begun *call, struct weir_answer *out)
{
    *out = call->answer;
    c->lent = call->kept;
    if (call->kept)
        c->kept_bytes -= call->answer.len;
    call_table_take(&c->begun, call->entry.id);
    free(call);
}

/* Every public call begins with this: what the last one lent is over. */
static int enter(struct weir_caller *c)
{
    if (process_self() != c->owner)
        return -EPERM;
    free(c->lent);
    c->lent = NULL;
    return 0;
}

/* --- asking --- */

static bool is_ready(const struct weir_caller *c)
{
    return c->ready;
}

static bool is_sent(const struct weir_caller *c)
{
    return weir_out_len(weir_conn_out(c->conn)) == 0;
}

static bool has_got(const struct weir_caller *c)
{
    return c->got;
}

static int add(struct weir_caller *c, const struct weir_request *request, uint64_t *out_id)
{
    struct begun *call = request->arg;
    int rc = c->conn ? weir_conn_call(c->conn, request, &call->entry.id) : -ENOTCONN;
    if (rc < 0)
        return rc;
    call_table_add(&c->begun, &call->entry);
    *out_id = call->entry.id;
    return 0;
}

/* Waits for a place where there is none. */
static int add_waiting(struct weir_caller *c, struct weir_request *request, int timeout_ms,
                       uint64_t *out_id)
{
    uint64_t deadline_ns = deadline_in(timeout_ms);
    request->timeout_ms = timeout_ms < 0 ? 0 : (unsigned)timeout_ms;
    for (;;) {
        c->base.now.mono_ns = deadline_now();
        c->ready = false;
        int rc = add(c, request, out_id);
        if (rc != -EAGAIN)
            return rc;
        rc = caller_pump(c, is_ready, deadline_ns);
        if (rc < 0)
            return rc == -EAGAIN ? -ETIMEDOUT : rc;
        if (timeout_ms >= 0 && (request->timeout_ms = (unsigned)deadline_left_ms(deadline_ns)) == 0)
            return -ETIMEDOUT;
    }
}

static int start(struct weir_caller *c, const void *bytes, size_t len, int timeout_ms,
                 uint64_t *out_id)
{
    if (timeout_ms == 0)
        return -ETIMEDOUT;
    if (c->begun.count >= LIMIT_CALLS)
        return -EBUSY;
    struct begun *call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->caller = c;
    struct weir_request request = {.bytes = bytes, .len = len, .done = done, .arg = call};
    int rc = add_waiting(c, &request, timeout_ms, out_id);
    if (rc < 0)
        free(call);
    return rc;
}

WEIR_API int weir_caller_start(struct weir_caller *c, const void *bytes, size_t len, int timeout_ms,
                               uint64_t *out_id)
{
    int rc = enter(c);
    return rc < 0 ? rc : start(c, bytes, len, timeout_ms, out_id);
}

/* For the call that is wanted, or any. 0: c->got. */
static int wait_for(struct weir_caller *c, int timeout_ms)
{
    int rc = caller_pump(c, has_got, deadline_in(timeout_ms));
    c->next = false;
    c->wanted = 0;
    return c->got ? 0 : rc;
}

static void give_got(struct weir_caller *c, struct weir_answer *out)
{
    struct begun *call = c->got;
    c->got = NULL;
    give(c, call, out);
}

static int wait_one(struct weir_caller *c, uint64_t id, int timeout_ms, struct weir_answer *out)
{
    struct begun *call = (struct begun *)call_table_find(&c->begun, id);
    if (!call)
        return -ENOENT;
    if (call->ended) {
        unlist(c, call);
        give(c, call, out);
        return out->error;
    }
    c->wanted = id;
    int rc = wait_for(c, timeout_ms);
    if (rc < 0)
        return rc;
    give_got(c, out);
    return out->error;
}

WEIR_API int weir_caller_wait(struct weir_caller *c, uint64_t id, int timeout_ms,
                              struct weir_answer *out)
{
    int rc = enter(c);
    return rc < 0 ? rc : wait_one(c, id, timeout_ms, out);
}

WEIR_API int weir_call(struct weir_caller *c, const void *bytes, size_t len, int timeout_ms,
                       struct weir_answer *out)
{
    uint64_t id;
    int rc = enter(c);
    if (rc == 0)
        rc = start(c, bytes, len, timeout_ms, &id);
    return rc < 0 ? rc : wait_one(c, id, WEIR_FOREVER, out);
}

WEIR_API int weir_caller_next(struct weir_caller *c, int timeout_ms, uint64_t *out_id,
                              struct weir_answer *out)
{
    int rc = enter(c);
    if (rc < 0)
        return rc;
    if (c->begun.count == 0)
        return -ENOENT;
    if (c->first_ended) {
        c->got = c->first_ended;
        unlist(c, c->got);
    } else {
        c->next = true;
        rc = wait_for(c, timeout_ms);
        if (rc < 0)
            return rc;
    }
    *out_id = c->got->entry.id;
    give_got(c, out);
    return 0;
}

WEIR_API int weir_caller_cancel(struct weir_caller *c, uint64_t id)
{
    int rc = enter(c);
    struct begun *call = rc < 0 ? NULL : (struct begun *)call_table_find(&c->begun, id);
    if (!call)
        return rc < 0 ? rc : -ENOENT;
    if (!call->ended)
        (void)weir_conn_cancel(c->conn, id); /* done() lists it */
    unlist(c, call);
    call_table_take(&c->begun, id);
    free_begun(c, call);
    (void)caller_pump(c, is_sent, 0); /* the peer need not go on */
    return 0;
}

WEIR_API int weir_caller_flush(struct weir_caller *c, int timeout_ms)
{
    int rc = enter(c);
    if (rc == 0)
        rc = caller_pump(c, is_sent, deadline_in(timeout_ms));
    return rc < 0 ? rc : c->conn ? 0 : -ENOTCONN;
}
