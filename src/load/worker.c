#include "load/worker.h"

#include <weir/conn.h>
#include <weir/driver.h>
#include <weir/tls.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* One writer, and a reader that wants no more than a number that is not torn. */
static void live_add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

static uint64_t cpu_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * WEIR_NS_PER_S + (uint64_t)at.tv_nsec;
}

/* --- what was seen --- */

/* Whether a request that began then is part of the result: by time, what ends meanwhile; by number, what begins. */
static bool counts(const struct worker *w, uint64_t since)
{
    return w->measuring && (w->options->requests == 0 || since >= w->measure_ns);
}

static void count_errors(struct worker *w, uint64_t since, enum load_error kind, uint64_t n)
{
    live_add(&w->live_errors, n);
    if (counts(w, since)) {
        w->result.errors[kind] += n;
        series_at(w->result.series, w->clock(w))->errors += n;
    }
}

static enum load_error kind_of(int why)
{
    switch (-why) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
    case ENOENT:
    case EACCES:
    case EAGAIN:
        return LOAD_CONNECT;
    case ETIMEDOUT:
        return LOAD_TIMEOUT;
    case ECONNRESET:
    case EPIPE:
    case 0:
        return LOAD_RESET;
    case EPROTO:
    case EMSGSIZE:
        return LOAD_PROTOCOL;
    case EBADMSG:
        return LOAD_CONTENT;
    default:
        return LOAD_OTHER;
    }
}

/* --- when requests are due --- */

static uint64_t due_ns(const struct worker *w, uint64_t number)
{
    return w->from_ns + (uint64_t)((double)number * w->step_ns);
}

/* When the time of the next request begins; 0: none may begin now. */
static uint64_t take_due(struct worker *w, uint64_t now)
{
    if (w->left == 0)
        return 0;
    uint64_t at = w->step_ns > 0 ? due_ns(w, w->due) : now;
    if (at > now || (w->step_ns > 0 && at >= w->end_ns))
        return 0;
    w->due++;
    w->left -= w->left != UINT64_MAX && counts(w, at);
    return at;
}

/* In turn, so that all connections are used at a low rate too. */
static void rest(struct client *c)
{
    struct worker *w = c->worker;
    if (c->resting || w->step_ns == 0)
        return;
    c->resting = true;
    c->next = NULL;
    c->prev = w->rest_last;
    *(w->rest_last ? &w->rest_last->next : &w->rest_first) = c;
    w->rest_last = c;
}

static void stop_resting(struct client *c)
{
    struct worker *w = c->worker;
    if (!c->resting)
        return;
    *(c->prev ? &c->prev->next : &w->rest_first) = c->next;
    *(c->next ? &c->next->prev : &w->rest_last) = c->prev;
    c->resting = false;
}

/* Puts the start of one more request into its ring. false: there is none now. */
static bool begin_request(struct client *c)
{
    struct worker *w = c->worker;
    uint64_t now = w->clock(w);
    uint64_t at = take_due(w, now);
    if (!at) {
        c->woken = false;
        rest(c);
        return false;
    }
    /* It was due while this client was free: what passed since is the generator's own doing. */
    if (c->woken && w->measuring && now - at > w->result.late_max_ns)
        w->result.late_max_ns = now - at;
    c->woken = false;
    c->since[(c->first + c->under_way) % w->depth] = at;
    c->under_way++;
    w->under_way++;
    return true;
}

int client_fill(struct client *c)
{
    struct worker *w = c->worker;
    while (!w->over && c->asked < w->depth) {
        if (w->options->fresh && c->answered)
            weir_conn_finish(c->conn, WEIR_DONE);
        if (w->options->fresh && (c->asked > 0 || c->answered))
            return 0;
        if (c->asked == c->under_way && !begin_request(c))
            return 0;
        int rc = w->talk->ask(c);
        if (rc == -EAGAIN || rc == -ESHUTDOWN)
            return 0; /* its start is kept: asked in a later turn, or on the next connection */
        if (rc < 0)
            return rc;
        if (counts(w, c->since[(c->first + c->asked++) % w->depth]))
            w->result.bytes_out += w->options->target->request_len;
    }
    return 0;
}

static void end_if_all_done(struct worker *w)
{
    if (w->left == 0 && w->under_way == 0)
        worker_end(w);
}

void client_answered(struct client *c, unsigned status, uint64_t bytes)
{
    struct worker *w = c->worker;
    if (w->over)
        return;
    uint64_t now = w->clock(w), since = c->since[c->first];
    c->first = (c->first + 1) % w->depth;
    c->under_way--;
    c->asked--;
    c->answered = true;
    w->under_way--;
    w->gone_ns = 0;
    w->result.answered_all++;
    live_add(&w->live_answered, 1);
    live_add(&w->live_bytes, bytes);
    if (counts(w, since)) {
        w->result.answered++;
        w->result.statuses[status / 100 < 6 ? status / 100 : 0]++;
        w->result.bytes_in += bytes;
        histogram_add(&series_at(w->result.series, now)->latency, now > since ? now - since : 0, 1);
    }
    end_if_all_done(w);
}

/* --- connections --- */

/* Its oldest requests are lost. */
static void drop_requests(struct client *c, unsigned n, int why)
{
    struct worker *w = c->worker;
    for (unsigned i = 0; i < n; i++) {
        count_errors(w, c->since[c->first], kind_of(why), 1);
        c->first = (c->first + 1) % w->depth;
    }
    c->under_way -= n;
    w->under_way -= n;
}

/* It ended before anything was asked on it. By number, that is a request that failed: one that waits for it, or the next. */
static void connection_failed(struct client *c, int why)
{
    struct worker *w = c->worker;
    uint64_t at = w->clock(w);
    if (w->options->requests && c->under_way > 0)
        drop_requests(c, 1, why);
    else if (!w->options->requests || (at = take_due(w, at)) > 0)
        count_errors(w, at, kind_of(why), 1);
}

/* By number, a run would not end for hours once the server is gone. Where nothing was answered and nobody listened for as long as an
 * answer may take, the rest has failed as well. */
static void give_up_if_gone(struct worker *w, int why)
{
    uint64_t now = w->clock(w);
    if (!w->options->requests || !w->measuring || kind_of(why) != LOAD_CONNECT)
        return;
    if (w->gone_ns == 0)
        w->gone_ns = now;
    if (now - w->gone_ns >= w->options->timeout_ms * WEIR_NS_PER_MS) {
        count_errors(w, now, LOAD_CONNECT, w->left);
        w->left = 0;
    }
}

static void retry_later(struct client *c)
{
    struct worker *w = c->worker;
    c->retry_ns = w->clock(w) + LIMIT_LOAD_RETRY_MS * WEIR_NS_PER_MS;
    c->next = NULL;
    if (w->retry_last)
        w->retry_last->next = c;
    else
        w->retry_first = c;
    w->retry_last = c;
}

/* With TLS the client is inside the connection that was adopted, and talks once hands are shaken. */
static struct weir_conn *client_adopt(struct client *c, struct weir_stream *stream)
{
    struct worker *w = c->worker;
    struct weir_tls *tls = w->options->target->tls;
    const void *config = w->talk == &talk_http ? (const void *)&c->http : c;
    if (!tls)
        return w->driver->ops->adopt(w->driver, stream, w->talk->protocol, config);
    struct weir_conn *outer = w->driver->ops->adopt(w->driver, stream, &weir_tls_machine, tls);
    struct weir_conn *conn = outer ? weir_conn_new_inner(outer, w->talk->protocol, config) : NULL;
    if (outer && !conn)
        weir_conn_abort(outer, -ENOMEM);
    return conn;
}

static void client_connect(struct client *c)
{
    struct worker *w = c->worker;
    struct weir_stream value, *stream;
    c->asked = 0;
    c->answered = false;
    int rc = w->connect(w, &value, &stream);
    if (rc < 0) {
        if (rc != -EAGAIN) { /* a Unix listener's queue is full: nothing is wrong */
            connection_failed(c, rc);
            give_up_if_gone(w, rc);
            end_if_all_done(w);
        }
        retry_later(c);
        return;
    }
    w->result.connects++;
    c->conn = client_adopt(c, stream);
    if (!c->conn)
        retry_later(c);
    else if (w->options->target->tls && w->options->fresh && w->measure_ns > 0 && !w->over &&
             c->under_way == 0)
        (void)begin_request(c); /* its time begins before hands are shaken */
}

/* A server may close a connection between answers whenever it likes; what was sent into that was read by nobody, and is asked
 * again (RFC 9112 section 9.3.1), on the same clock. */
static bool can_ask_again(const struct client *c, int why)
{
    return c->answered && (why == WEIR_DONE || why == -ECONNRESET || why == -EPIPE);
}

void client_closed(struct client *c, int why)
{
    struct worker *w = c->worker;
    c->conn = NULL;
    if (w->over)
        return;
    stop_resting(c);
    c->woken = false;
    if (c->asked > 0 && can_ask_again(c, why))
        w->result.retried += c->asked;
    else if (c->asked > 0)
        drop_requests(c, c->asked, why);
    else if (!c->answered && why < 0)
        connection_failed(c, why);
    give_up_if_gone(w, why);
    end_if_all_done(w);
    if (w->over || why == -ECONNABORTED) /* the driver ends */
        return;
    if (c->answered)
        client_connect(c);
    else
        retry_later(c);
}

static void retry_due(struct worker *w, uint64_t now)
{
    while (!w->over && w->retry_first && w->retry_first->retry_ns <= now) {
        struct client *c = w->retry_first;
        w->retry_first = c->next;
        if (!w->retry_first)
            w->retry_last = NULL;
        client_connect(c);
    }
}

/* --- time --- */

/* As many clients as requests are due are given a turn; each asks what is due then. */
static void wake_due(struct worker *w, uint64_t now)
{
    for (uint64_t number = w->due; w->rest_first && due_ns(w, number) <= now; number++) {
        struct client *c = w->rest_first;
        stop_resting(c);
        c->woken = true;
        weir_conn_wake(c->conn);
    }
}

static void begin_measuring(struct worker *w, uint64_t now)
{
    w->measuring = true;
    w->measure_ns = now;
    w->cpu_from_ns = cpu_ns();
    series_begin(w->result.series, now);
}

void worker_tick(struct worker *w)
{
    uint64_t now = w->clock(w);
    if (w->over)
        return;
    if (!w->measuring && now >= w->measure_ns)
        begin_measuring(w, now);
    if (now >= w->end_ns) {
        worker_end(w);
        return;
    }
    retry_due(w, now);
    if (w->step_ns > 0)
        wake_due(w, now);
}

uint64_t worker_tick_ns(const struct worker *w)
{
    if (w->step_ns == 0 || w->step_ns > LIMIT_LOAD_TICK_NS)
        return LIMIT_LOAD_TICK_NS;
    return w->step_ns > LIMIT_LOAD_TICK_MIN_NS ? (uint64_t)w->step_ns : LIMIT_LOAD_TICK_MIN_NS;
}

/* How many were due by then and have not begun. */
static uint64_t behind_at(const struct worker *w, uint64_t at)
{
    uint64_t due = at > w->from_ns ? (uint64_t)((double)(at - w->from_ns) / w->step_ns) : 0;
    uint64_t behind = due > w->due ? due - w->due : 0;
    return behind < w->left ? behind : w->left;
}

/* Open loop: what is waiting still has waited so long at least; leaving it out would hide just the worst. */
static void count_unfinished(struct worker *w, uint64_t now)
{
    struct histogram *latency = &series_at(w->result.series, now)->latency;
    for (unsigned i = 0; i < w->count; i++) {
        const struct client *c = &w->clients[i];
        w->result.unfinished += c->under_way;
        for (unsigned k = 0; w->step_ns > 0 && k < c->under_way; k++)
            histogram_add(latency, now - c->since[(c->first + k) % w->depth], 1);
    }
    if (w->step_ns == 0)
        return;
    uint64_t until = now < w->end_ns ? now : w->end_ns;
    uint64_t behind = behind_at(w, until);
    uint64_t times = behind / 100000 + 1; /* a long queue is counted in steps */
    for (uint64_t i = 0; i + times <= behind; i += times)
        histogram_add(latency, now - due_ns(w, w->due + i), times);
    w->result.unfinished += behind;
    if (!w->rest_first) /* else the generator itself was late */
        w->result.overdue = behind_at(w, until - LIMIT_LOAD_OVERDUE_MS * WEIR_NS_PER_MS);
}

void worker_end(struct worker *w)
{
    if (w->over)
        return;
    uint64_t now = w->clock(w);
    if (w->measuring) {
        w->result.elapsed_ns = now - w->measure_ns;
        w->result.cpu_ns = cpu_ns() - w->cpu_from_ns;
        count_unfinished(w, now);
    }
    w->over = true;
    if (w->ended)
        w->ended(w);
}

void worker_start(struct worker *w, struct weir_driver *driver)
{
    const struct load_options *o = w->options;
    w->driver = driver;
    w->from_ns = w->clock(w);
    w->end_ns = UINT64_MAX;
    end_if_all_done(w); /* there are fewer requests than threads */
    for (unsigned i = 0; i < w->count && !w->over; i++)
        client_connect(&w->clients[i]);
    w->from_ns = w->clock(w);
    w->measure_ns = w->from_ns + o->warmup_ns;
    w->end_ns = w->measure_ns + o->duration_ns;
    if (o->warmup_ns == 0 && !w->over)
        begin_measuring(w, w->from_ns);
}

/* --- memory --- */

/* The index-th of `threads` near-equal parts. */
static uint64_t share(uint64_t whole, unsigned threads, unsigned index)
{
    return whole / threads + (index < whole % threads);
}

/* About fifty slices in the time there is; they grow when that is not known. */
static uint64_t slice_ns(const struct load_options *o)
{
    uint64_t ns = o->requests ? 0 : o->duration_ns / 50;
    return ns > LIMIT_LOAD_TICK_NS ? ns : LIMIT_LOAD_TICK_NS;
}

static const struct talk *talk_of(enum load_kind kind)
{
    static const struct talk *const talks[] = {
        [LOAD_HTTP] = &talk_http, [LOAD_ECHO] = &talk_echo, [LOAD_FRAME] = &talk_frame};
    return talks[kind];
}

static uint64_t wall_clock(const struct worker *w)
{
    struct timespec at;
    (void)w;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * WEIR_NS_PER_S + (uint64_t)at.tv_nsec;
}

int worker_init(struct worker *w, const struct load_options *o, unsigned index)
{
    *w = (struct worker){.options = o, .talk = talk_of(o->target->kind), .clock = wall_clock};
    w->count = (unsigned)share(o->connections, o->threads, index);
    w->depth = o->fresh ? 1 : o->depth;
    w->step_ns = o->rate ? (double)WEIR_NS_PER_S * o->threads / (double)o->rate : 0;
    w->left = o->requests ? share(o->requests, o->threads, index) : UINT64_MAX;
    w->result.series = series_new(slice_ns(o));
    w->clients = calloc(w->count, sizeof(*w->clients));
    w->since = calloc((size_t)w->count * w->depth, sizeof(*w->since));
    if (!w->clients || !w->since || !w->result.series)
        return -ENOMEM;
    for (unsigned i = 0; i < w->count; i++) {
        struct client *c = &w->clients[i];
        c->worker = w;
        c->since = w->since + (size_t)i * w->depth;
        c->http =
            (struct http1_client){.calls = &talk_http_calls, .arg = c, .answer_ms = o->timeout_ms};
    }
    return 0;
}

void worker_done(struct worker *w)
{
    free(w->clients);
    free(w->since);
    free(w->result.series);
    *w = (struct worker){0};
}
