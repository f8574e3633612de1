/* Requests and replies over one stream: the machine. */
#include "proto/call.h"

#include "tbl/limits.h"

/* --- options --- */

const struct weir_call_options *calls_options(const struct weir_conn *conn)
{
    static const struct weir_call_options defaults;
    const struct weir_call_options *options = weir_conn_config(conn);
    return options ? options : &defaults;
}

static unsigned at_most(unsigned asked, unsigned usual)
{
    return asked == 0 ? usual : asked < LIMIT_CALLS ? asked : LIMIT_CALLS;
}

static uint64_t time_ns(unsigned asked_ms, unsigned usual_ms)
{
    return asked_ms == WEIR_CALL_NEVER ? 0 : (asked_ms ? asked_ms : usual_ms) * WEIR_NS_PER_MS;
}

struct call_bounds calls_bounds(const struct weir_call_options *o)
{
    return (struct call_bounds){
        .requests_max = o->request ? at_most(o->requests_max, LIMIT_CALLS_USUAL) : 0,
        .calls_max = at_most(o->calls_max, LIMIT_CALLS_USUAL),
        .bytes_max =
            o->bytes_max && o->bytes_max < LIMIT_CALL_BYTES ? o->bytes_max : LIMIT_CALL_BYTES,
        .idle_ns = time_ns(o->idle_ms, LIMIT_CALL_IDLE_MS),
        .ping_ns = time_ns(o->ping_ms, LIMIT_CALL_PING_MS),
        .silent_ns = time_ns(o->silent_ms, LIMIT_CALL_SILENT_MS),
    };
}

WEIR_API void weir_calls_set_slot(struct weir_conn *conn, void *slot)
{
    ((struct calls *)weir_conn_state(conn))->slot = slot;
}

WEIR_API void *weir_calls_slot(struct weir_conn *conn)
{
    return ((struct calls *)weir_conn_state(conn))->slot;
}

/* --- time --- */

static void sooner(uint64_t *first, uint64_t at)
{
    if (at && (!*first || at < *first))
        *first = at;
}

static void after(uint64_t *first, uint64_t since, uint64_t ns)
{
    if (ns)
        sooner(first, since + ns);
}

void calls_expect(struct calls *c, uint64_t deadline_ns)
{
    sooner(&c->due_ns, deadline_ns);
}

static bool idle(const struct calls *c)
{
    return c->asked.count == 0 && c->issued.count == 0;
}

void calls_arm(struct calls *c, struct weir_conn *conn)
{
    struct call_bounds bounds = calls_bounds(calls_options(conn));
    uint64_t first = c->due_ns;
    if (!c->left)
        sooner(&first, c->leave_ns);
    if (c->issued.count > 0 && !c->paused) {
        after(&first, c->heard_ns, bounds.silent_ns);
        if (!c->pinged)
            after(&first, c->heard_ns, bounds.ping_ns);
    } else if (calls_unsent(c, conn) > 0) {
        after(&first, c->moved_ns, bounds.silent_ns);
    } else if (idle(c)) {
        after(&first, c->active_ns, bounds.idle_ns);
    }
    weir_conn_arm(conn, first);
}

static bool passed(uint64_t since, uint64_t ns, uint64_t now)
{
    return ns > 0 && now >= since + ns;
}

/* --- the end --- */

/* The calls end now; the connection when what is queued was sent. */
static int fail(struct calls *c, struct weir_conn *conn, int why)
{
    calls_issued_end(c, why);
    calls_flush_all(c, conn);
    return why;
}

static void leave_now(struct calls *c, struct weir_conn *conn)
{
    if (c->left)
        return;
    c->left = true;
    struct call_head head = {.kind = CALL_LEAVE, .id = c->next_asked};
    (void)!calls_send(c, conn, head, NULL, 0); /* has no content: cannot fail */
}

static bool used(const struct calls *c)
{
    return c->next_asked > 0 || c->next_issued > 0;
}

/* After everything that may have changed something. */
static void settle(struct calls *c, struct weir_conn *conn)
{
    const struct weir_call_options *options = calls_options(conn);
    bool full = options->request && c->asked.count >= calls_bounds(options).requests_max;
    if (c->paused && !full && c->waiting.len < LIMIT_CALL_BACKLOG) {
        c->paused = false;
        c->heard_ns = weir_conn_now(conn).mono_ns; /* nobody listened meanwhile */
        weir_conn_resume(conn);
    }
    calls_issued_ready(c, conn);
    bool over = idle(c) && c->waiting.len == 0;
    weir_conn_rest(conn, over);
    if (over && c->left)
        weir_conn_linger(conn, c->idled ? -ETIMEDOUT : WEIR_DONE, LIMIT_CALL_BACKLOG,
                         LIMIT_LEAVE_QUIET_MS);
    else if (over && (c->peer_left || c->ended))
        weir_conn_finish(conn, WEIR_DONE);
    else
        calls_arm(c, conn);
}

/* --- what the peer says --- */

static int greet(struct calls *c, struct call_head head)
{
    if (c->greeted)
        return -EPROTO;
    c->greeted = true;
    c->peer_takes = head.value;
    c->peer_bytes = head.id;
    return 0;
}

static int take_leave(struct calls *c, uint64_t last)
{
    if (c->peer_left)
        return -EPROTO;
    c->peer_left = true;
    return calls_issued_refused(c, last);
}

static int take(struct calls *c, struct weir_conn *conn, struct call_head head,
                const uint8_t *content, size_t len)
{
    switch ((enum call_kind)head.kind) {
    case CALL_HELLO:
        return greet(c, head);
    case CALL_REQUEST:
        return calls_asked_request(c, conn, head, content, len);
    case CALL_REPLY:
    case CALL_ERROR:
    case CALL_CANCELLED:
        return calls_issued_answer(c, head, content, len);
    case CALL_CANCEL:
        return calls_asked_cancel(c, head.id);
    case CALL_PING:
        return calls_send(c, conn, (struct call_head){.kind = CALL_PONG, .id = head.id}, NULL, 0);
    case CALL_LEAVE:
        return take_leave(c, head.id);
    case CALL_PONG:
    case CALL_KINDS:
        break;
    }
    return 0;
}

/* The whole of the first message: its length on the wire; 0: it has not all come. Length and head are judged as soon as they are
 * there, before a byte of the content is kept. */
static ssize_t look(const struct calls *c, struct weir_conn *conn, const uint8_t *bytes, size_t len,
                    struct call_head *out_head)
{
    if (len < FRAME_HEAD)
        return 0;
    size_t message = frame_length(bytes);
    if (message < CALL_HEAD)
        return -EPROTO;
    if (message - CALL_HEAD > calls_bounds(calls_options(conn)).bytes_max)
        return -EMSGSIZE;
    if (len < CALL_START)
        return 0;
    int rc = call_head_get(bytes + FRAME_HEAD, message - CALL_HEAD, out_head);
    if (rc < 0)
        return rc;
    if (!c->greeted && out_head->kind != CALL_HELLO)
        return -EPROTO;
    return len - FRAME_HEAD < message ? 0 : (ssize_t)(FRAME_HEAD + message);
}

static ssize_t hold_back(struct calls *c, struct weir_conn *conn)
{
    c->paused = true;
    weir_conn_pause(conn);
    return 0;
}

static ssize_t calls_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct calls *c = state;
    struct call_head head;
    c->heard_ns = weir_conn_now(conn).mono_ns;
    c->pinged = false;
    if (c->waiting.len >= LIMIT_CALL_BACKLOG)
        return hold_back(c, conn);
    ssize_t n = look(c, conn, bytes, len, &head);
    if (n < 0)
        return fail(c, conn, (int)n);
    c->begun = n == 0;
    if (n == 0)
        return 0; /* no later deadline for a part of a message: a byte a minute would keep it for ever */
    int rc = take(c, conn, head, bytes + CALL_START, (size_t)n - CALL_START);
    if (rc == -EAGAIN)
        return hold_back(c, conn);
    if (rc < 0)
        return fail(c, conn, rc);
    c->active_ns = c->heard_ns;
    if (c->leave_ns && used(c))
        leave_now(c, conn);
    settle(c, conn);
    return n;
}

/* --- the machine --- */

static int calls_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)config;
    struct calls *c = state;
    const struct weir_call_options *options = calls_options(conn);
    struct call_bounds bounds = calls_bounds(options);
    c->active_ns = weir_conn_now(conn).mono_ns;
    c->peer_bytes = LIMIT_CALL_BYTES; /* until it says so itself */
    struct call_head hello = {
        .kind = CALL_HELLO, .value = bounds.requests_max, .id = bounds.bytes_max};
    (void)!calls_send(c, conn, hello, NULL, 0); /* has no content: cannot fail */
    int rc = options->opened ? options->opened(options->arg, conn) : 0;
    calls_arm(c, conn);
    return rc < 0 ? fail(c, conn, rc) : 0;
}

/* Nothing can be answered to us any more; what the peer has asked still is. */
static int calls_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct calls *c = state;
    if (rest > 0)
        return fail(c, conn, -EPROTO);
    c->ended = true;
    calls_issued_end(c, -ECONNRESET);
    settle(c, conn);
    return 0;
}

static int calls_output(void *state, struct weir_conn *conn)
{
    struct calls *c = state;
    int rc = calls_flush(c, conn);
    if (rc < 0)
        return fail(c, conn, rc);
    settle(c, conn);
    return 0;
}

static void expire_calls(struct calls *c, struct weir_conn *conn, uint64_t now)
{
    uint64_t next;
    c->due_ns = 0;
    struct call_entry *due = call_table_due(&c->issued, now, &next);
    calls_expect(c, next);
    calls_issued_expire(c, conn, due);
    due = call_table_due(&c->asked, now, &next); /* done() may have answered some of them */
    calls_expect(c, next);
    calls_asked_expire(due);
}

static bool is_silent(struct calls *c, struct weir_conn *conn, uint64_t now)
{
    struct call_bounds bounds = calls_bounds(calls_options(conn));
    if (c->issued.count == 0 || c->paused)
        return calls_unsent(c, conn) > 0 && passed(c->moved_ns, bounds.silent_ns, now);
    if (passed(c->heard_ns, bounds.silent_ns, now))
        return true;
    if (!c->pinged && passed(c->heard_ns, bounds.ping_ns, now)) {
        c->pinged = true;
        (void)!calls_send(c, conn, (struct call_head){.kind = CALL_PING}, NULL, 0);
    }
    return false;
}

static void calls_expire(void *state, struct weir_conn *conn)
{
    struct calls *c = state;
    uint64_t now = weir_conn_now(conn).mono_ns;
    calls_note_sent(c, conn);
    if (c->due_ns && now >= c->due_ns)
        expire_calls(c, conn, now);
    if (is_silent(c, conn, now)) {
        weir_conn_abort(conn, fail(c, conn, -ETIMEDOUT));
        return;
    }
    if (c->leave_ns && now >= c->leave_ns)
        leave_now(c, conn);
    if (!c->left && idle(c) && calls_unsent(c, conn) == 0 &&
        passed(c->active_ns, calls_bounds(calls_options(conn)).idle_ns, now)) {
        c->idled = true;
        leave_now(c, conn);
    }
    settle(c, conn);
}

/* A request that has begun to come, and the first one of a connection that has not spoken yet, are waited for a moment. */
static void calls_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)why;
    struct calls *c = state;
    unsigned ms = c->begun ? LIMIT_LEAVE_QUIET_MS : used(c) ? 0 : LIMIT_FIRST_BYTE_BUSY_MS;
    if (c->leave_ns)
        return;
    c->leave_ns = weir_conn_now(conn).mono_ns + ms * WEIR_NS_PER_MS;
    if (ms == 0)
        leave_now(c, conn);
    settle(c, conn);
}

static void calls_close(void *state, struct weir_conn *conn, int why)
{
    struct calls *c = state; /* open() may never have been called */
    const struct weir_call_options *options = calls_options(conn);
    int reason = why < 0 ? why : -ECONNRESET;
    calls_issued_end(c, reason);
    calls_asked_close(c, reason);
    out_done(&c->waiting);
    if (options->closed)
        options->closed(options->arg, conn, why);
}

const struct weir_protocol weir_calls = {
    .name = "calls",
    .state_size = sizeof(struct calls),
    .input_max = CALL_START + LIMIT_CALL_BYTES,
    .open = calls_open,
    .input = calls_input,
    .eof = calls_eof,
    .output = calls_output,
    .expire = calls_expire,
    .leave = calls_leave,
    .close = calls_close,
};
