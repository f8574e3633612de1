#include "drive/sim_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define START_MONO_NS (1000 * WEIR_NS_PER_S)
#define START_WALL_NS (784111777 * (int64_t)WEIR_NS_PER_S) /* the example date of RFC 9110 */
#define SPOILT        0xdb /* what bytes look like that must not be looked at any more */

/* splitmix64 (Steele, Lea, Flood, 2014): any seed will do. */
uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

bool sim_fault(struct sim *sim, unsigned n)
{
    return sim->options.faults && sim_random(&sim->dice) % n == 0;
}

size_t sim_size(struct sim *sim, size_t max)
{
    unsigned bits = (unsigned)(sim_random(&sim->dice) % 17);
    size_t size = 1 + (size_t)(sim_random(&sim->dice) & ((1u << bits) - 1));
    return size < max ? size : max;
}

int sim_new(const struct sim_options *options, struct sim **out)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    if (!sim)
        return -ENOMEM;
    sim->options = *options;
    sim->base.ops = &sim_ops;
    sim->base.now = (struct weir_now){START_MONO_NS, START_WALL_NS};
    sim->base.pool = &sim->pool;
    sim->base.hot_size = LIMIT_HOT_BYTES;
    sim->base.hot = malloc(LIMIT_HOT_BYTES);
    if (!sim->base.hot) {
        free(sim);
        return -ENOMEM;
    }
    pool_init(&sim->pool, 0); /* keeps nothing: a use after the end shows */
    sim->dice = options->seed;
    sim->ends_tail = &sim->ends;
    sim->jobs_tail = &sim->jobs;
    sim->pid_last = 1000;
    *out = sim;
    return 0;
}

struct weir_driver *sim_driver(struct sim *sim)
{
    return &sim->base;
}

struct sim_end *sim_end_new(struct sim *sim, const char *name)
{
    struct sim_end *end = sim->end_count < LIMIT_SIM_ENDS ? calloc(1, sizeof(*end)) : NULL;
    if (!end)
        return NULL;
    end->sim = sim;
    end->name = name;
    end->window = UINT64_MAX;
    end->break_at = UINT64_MAX;
    *sim->ends_tail = end;
    sim->ends_tail = &end->next;
    sim->end_count++;
    return end;
}

static void witness_close(void *state, struct weir_conn *conn, int why)
{
    struct sim_end *end = weir_conn_slot(conn);
    end->closes++;
    if (end->real->close)
        end->real->close(state, conn, why);
}

bool sim_bind(struct sim_end *end, const struct weir_protocol *protocol, const void *config)
{
    end->real = protocol;
    end->witness = *protocol;
    end->witness.close = witness_close;
    end->conn = weir_conn_new(&end->sim->base, &end->witness, config);
    if (!end->conn)
        return false;
    weir_conn_set_slot(end->conn, end);
    end->bound = true;
    end->ready = true;
    return true;
}

struct sim_end *sim_connect(struct sim *sim, const struct weir_protocol *protocol,
                            const void *config)
{
    struct sim_end *end = sim_end_new(sim, NULL);
    return end && sim_bind(end, protocol, config) ? end : NULL;
}

struct sim_end *sim_peer(struct sim *sim, const char *name)
{
    return sim_end_new(sim, name);
}

struct weir_stream *sim_stream(struct sim_end *end)
{
    return (struct weir_stream *)end;
}

static void close_end(struct sim_end *end)
{
    struct weir_conn *conn = end->conn;
    end->why = weir_conn_why(conn);
    end->closed = true;
    end->closed_by_reset = weir_conn_is_reset(conn);
    weir_conn_free(conn);
    end->conn = NULL;
}

void sim_free(struct sim *sim)
{
    if (!sim)
        return;
    for (struct sim_end *end = sim->ends; end; end = end->next)
        if (end->conn)
            close_end(end);
    sim_jobs_cancel(sim);
    while (sim->children) {
        struct sim_child *next = sim->children->next;
        free(sim->children);
        sim->children = next;
    }
    while (sim->ends) {
        struct sim_end *next = sim->ends->next;
        free(sim->ends->input);
        free(sim->ends->output);
        free(sim->ends);
        sim->ends = next;
    }
    pool_done(&sim->pool);
    free(sim->base.hot);
    free(sim);
}

static int append(uint8_t **at, size_t *len, size_t *size, const void *bytes, size_t more)
{
    if (*size - *len < more) {
        size_t wanted = (*len + more) * 2;
        uint8_t *grown = realloc(*at, wanted);
        if (!grown)
            return -ENOMEM;
        *at = grown;
        *size = wanted;
    }
    if (more > 0)
        memcpy(*at + *len, bytes, more);
    *len += more;
    return 0;
}

int sim_send(struct sim_end *end, const void *bytes, size_t len)
{
    return append(&end->input, &end->input_len, &end->input_size, bytes, len);
}

void sim_finish(struct sim_end *end)
{
    end->eof = true;
}

void sim_reset(struct sim_end *end)
{
    end->reset = true;
}

void sim_stop(struct sim_end *end)
{
    end->deaf = true;
}

void sim_window(struct sim_end *end, uint64_t bytes)
{
    end->window = bytes;
}

void sim_break_at(struct sim_end *end, uint64_t sent)
{
    end->break_at = sent;
}

static size_t read_size(struct sim_end *end, size_t room)
{
    const struct sim_options *options = &end->sim->options;
    size_t there = end->input_len - end->input_at;
    size_t max = there < room ? there : room;
    if (options->cut == SIM_BYTES)
        return 1;
    if (options->cut == SIM_RANDOM)
        return sim_size(end->sim, max);
    if (options->cut == SIM_LIST) {
        while (end->cut < options->cut_count && options->cuts[end->cut] <= end->input_at)
            end->cut++;
        if (end->cut < options->cut_count && options->cuts[end->cut] - end->input_at < max)
            return options->cuts[end->cut] - end->input_at;
    }
    return max;
}

static bool readable(const struct sim_end *end)
{
    return end->input_at < end->input_len || (end->eof && !end->eof_read) ||
           (end->reset && !end->broken);
}

static bool end_read(struct sim_end *end)
{
    if (!readable(end) || sim_fault(end->sim, 4))
        return false;
    struct iovec room = weir_conn_room(end->conn);
    if (end->input_at < end->input_len) {
        size_t n = read_size(end, room.iov_len);
        memcpy(room.iov_base, end->input + end->input_at, n);
        end->input_at += n;
        end->hot_used = room.iov_base == end->sim->base.hot ? n : 0;
        weir_conn_received(end->conn, (ssize_t)n);
    } else if (end->reset) {
        end->broken = true;
        weir_conn_received(end->conn, -ECONNRESET);
    } else {
        end->eof_read = true;
        weir_conn_received(end->conn, 0);
    }
    return true;
}

static void collect(struct sim_end *end, const void *bytes, size_t len)
{
    if (append(&end->output, &end->output_len, &end->output_size, bytes, len) < 0)
        end->sim->error = -ENOMEM;
    if (end->window != UINT64_MAX)
        end->window -= len;
}

/* What this one write takes at most. */
static size_t write_size(struct sim_end *end)
{
    struct sim *sim = end->sim;
    uint64_t max = sim->options.write_max ? sim->options.write_max : SIZE_MAX;
    if (sim_fault(sim, 2))
        max = sim_size(sim, max);
    if (max > end->window)
        max = end->window;
    uint64_t whole = end->break_at > end->output_len ? end->break_at - end->output_len : 0;
    return max < whole ? max : whole;
}

static ssize_t write_spans(struct sim_end *end, const struct iovec *iov, int count, size_t max)
{
    size_t sent = 0;
    for (int i = 0; i < count && sent < max; i++) {
        size_t n = iov[i].iov_len < max - sent ? iov[i].iov_len : max - sent;
        collect(end, iov[i].iov_base, n);
        sent += n;
    }
    return (ssize_t)sent;
}

static ssize_t write_file(struct sim_end *end, const struct weir_span *span, size_t max)
{
    const struct sim_file *file = sim_file_of(end->sim, span->fd);
    if (!file || span->offset >= file->len)
        return -EIO;
    size_t n = span->len < max ? span->len : max;
    if (n > file->len - span->offset)
        n = file->len - span->offset;
    collect(end, file->bytes + span->offset, n);
    return (ssize_t)n;
}

/* A write to a peer that broke does not wait: it fails. */
static bool writable(const struct sim_end *end)
{
    return end->window > 0 || end->broken || end->deaf;
}

static bool end_write(struct sim_end *end)
{
    if (!writable(end) || sim_fault(end->sim, 4))
        return false;
    struct iovec iov[LIMIT_OUT_SPANS];
    const struct weir_span *file;
    int max = sim_fault(end->sim, 4) ? 1 : LIMIT_OUT_SPANS;
    int count = weir_conn_gather(end->conn, iov, max, &file);
    size_t size = write_size(end);
    ssize_t n;
    if (end->deaf)
        n = -EPIPE;
    else if (size == 0 || end->broken)
        n = -ECONNRESET;
    else if (count > 0)
        n = write_spans(end, iov, count, size);
    else
        n = write_file(end, file, size);
    weir_conn_sent(end->conn, n);
    return true;
}

/* A turn. true: the connection is closed now. */
static bool end_turn(struct sim_end *end)
{
    end->ready = false;
    end->want = weir_conn_turn(end->conn);
    memset(end->sim->base.hot, SPOILT, end->hot_used);
    end->hot_used = 0;
    if (end->want & WEIR_IO_CLOSE)
        close_end(end);
    return end->closed;
}

/* A turn if there is cause, and I/O as it asks for. true: something moved. */
static bool end_step(struct sim_end *end)
{
    if (end->wake_rounds > 0 && --end->wake_rounds == 0)
        end->ready = true;
    if ((end->ready || sim_fault(end->sim, 8)) && end_turn(end))
        return true;
    bool moved = false;
    if (end->want & WEIR_IO_END) {
        end->ended = true;
        weir_conn_ended(end->conn);
        moved = true;
    }
    if ((end->want & WEIR_IO_WRITE) && end_write(end))
        moved = true;
    if ((end->want & WEIR_IO_READ) && end_read(end)) {
        end_turn(end); /* at once: the hot buffer is everybody's */
        return true;
    }
    end->ready |= moved;
    return moved;
}

static bool end_pending(const struct sim_end *end)
{
    return end->ready || end->wake_rounds > 0 || (end->want & WEIR_IO_END) ||
           ((end->want & WEIR_IO_WRITE) && writable(end)) ||
           ((end->want & WEIR_IO_READ) && readable(end));
}

/* Something can still happen without time. */
static bool pending(const struct sim *sim)
{
    for (const struct sim_end *end = sim->ends; end; end = end->next)
        if (end->conn && end_pending(end))
            return true;
    return sim->jobs != NULL;
}

/* The peer broke, and nobody will notice by reading: a driver is told by the kernel. */
static bool break_unread(struct sim *sim)
{
    bool any = false;
    for (struct sim_end *end = sim->ends; end; end = end->next) {
        if (!end->conn || !end->reset || end->broken)
            continue;
        if (weir_conn_patient(end->conn) && !(end->want & WEIR_IO_READ))
            continue; /* it will see when it reads */
        end->broken = true;
        weir_conn_received(end->conn, -ECONNRESET);
        end->ready = true;
        any = true;
    }
    return any;
}

int sim_run(struct sim *sim)
{
    unsigned still = 0; /* rounds without a byte moved */
    do {
        bool moved = sim_jobs_round(sim);
        for (struct sim_end *end = sim->ends; end; end = end->next)
            if (end->conn)
                moved |= end_step(end);
        still = moved ? 0 : still + 1;
        if (still > LIMIT_SIM_ROUNDS)
            return -ELOOP;
    } while (!sim->error && (pending(sim) || break_unread(sim)));
    return sim->error;
}

static uint64_t next_deadline(const struct sim *sim)
{
    uint64_t first = 0;
    for (const struct sim_end *end = sim->ends; end; end = end->next) {
        uint64_t at = end->conn ? weir_conn_deadline(end->conn) : 0;
        if (at && (!first || at < first))
            first = at;
    }
    return first;
}

static void time_is(struct sim *sim, uint64_t mono_ns)
{
    struct weir_now *now = &sim->base.now;
    now->wall_ns += (int64_t)(mono_ns - now->mono_ns);
    now->mono_ns = mono_ns;
    for (struct sim_end *end = sim->ends; end; end = end->next) {
        uint64_t at = end->conn ? weir_conn_deadline(end->conn) : 0;
        if (at && at <= mono_ns)
            end->ready = true;
    }
}

int sim_wait(struct sim *sim, uint64_t ns)
{
    uint64_t target = sim->base.now.mono_ns + ns;
    int rc = sim_run(sim);
    unsigned still = 0; /* deadlines that did not move time on */
    while (rc == 0) {
        uint64_t next = next_deadline(sim);
        if (!next || next > target)
            break;
        uint64_t now = sim->base.now.mono_ns;
        still = next > now ? 0 : still + 1;
        if (still > LIMIT_SIM_ROUNDS)
            return -ELOOP;
        time_is(sim, next > now ? next : now);
        rc = sim_run(sim);
    }
    time_is(sim, target);
    return rc;
}

void sim_leave(struct sim *sim, enum weir_leave why)
{
    for (struct sim_end *end = sim->ends; end; end = end->next)
        if (end->conn)
            weir_conn_leave(end->conn, why);
}

struct weir_bytes sim_output(const struct sim_end *end)
{
    return (struct weir_bytes){(const char *)end->output, end->output_len};
}

size_t sim_unread(const struct sim_end *end)
{
    return end->input_len - end->input_at;
}

bool sim_ended(const struct sim_end *end)
{
    return end->ended;
}

bool sim_closed(const struct sim_end *end, int *out_why)
{
    if (end->closed)
        *out_why = end->why;
    return end->closed;
}

bool sim_was_reset(const struct sim_end *end)
{
    return end->closed_by_reset;
}

unsigned sim_closes(const struct sim_end *end)
{
    return end->closes;
}

struct weir_conn *sim_conn(const struct sim_end *end)
{
    return end->conn;
}
