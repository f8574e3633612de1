#include "probe.h"

static struct probe *probe_of(void *state)
{
    return *(struct probe **)state;
}

/* What holds in every call: it was opened, once, and not closed. */
static struct probe *alive(void *state)
{
    struct probe *probe = probe_of(state);
    assert_non_null(probe);
    assert_int_equal(probe->opens, 1);
    assert_int_equal(probe->closes, 0);
    return probe;
}

static int probe_open(void *state, struct weir_conn *conn, const void *config)
{
    struct probe *probe = (struct probe *)(uintptr_t)config;
    assert_null(probe_of(state)); /* state is zeroed */
    *(struct probe **)state = probe;
    assert_int_equal(probe->opens, 0);
    assert_int_equal(probe->closes, 0);
    probe->opens++;
    probe->conn = conn;
    return probe->open ? probe->open(probe, conn) : 0;
}

static ssize_t probe_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct probe *probe = alive(state);
    assert_true(len > 0);
    assert_true(weir_out_room(weir_conn_out(conn)));
    assert_false(probe->paused);
    assert_int_equal(probe->eofs, 0);
    probe->inputs++;
    probe->offered = len;
    ssize_t n = probe->input ? probe->input(probe, conn, bytes, len) : (ssize_t)len;
    probe->consumed += n > 0 ? (size_t)n : 0;
    return n;
}

static int probe_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct probe *probe = alive(state);
    assert_int_equal(probe->eofs, 0);
    assert_false(probe->paused);
    probe->eofs++;
    probe->rest = rest;
    if (probe->eof)
        return probe->eof(probe, conn, rest);
    weir_conn_finish(conn, WEIR_DONE);
    return 0;
}

static int probe_output(void *state, struct weir_conn *conn)
{
    struct probe *probe = alive(state);
    assert_true(weir_out_room(weir_conn_out(conn)));
    probe->outputs++;
    return probe->output ? probe->output(probe, conn) : 0;
}

static void probe_expire(void *state, struct weir_conn *conn)
{
    struct probe *probe = alive(state);
    probe->expires++;
    if (probe->expire)
        probe->expire(probe, conn);
}

static void probe_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct probe *probe = alive(state);
    probe->leaves++;
    assert_true(weir_conn_leaving(conn));
    if (probe->leave)
        probe->leave(probe, conn, why);
}

static void probe_close(void *state, struct weir_conn *conn, int why)
{
    struct probe *probe = probe_of(state);
    if (!probe) /* never opened */
        probe = (struct probe *)(uintptr_t)weir_conn_config(conn);
    probe->closes++;
    probe->why = why;
    if (probe->close)
        probe->close(probe, conn, why);
}

#define PROBE                                                                                      \
    .input_max = 8, .open = probe_open, .input = probe_input, .eof = probe_eof,                    \
    .output = probe_output, .expire = probe_expire, .leave = probe_leave, .close = probe_close

const struct weir_protocol probe_protocol = {
    .name = "probe", .state_size = sizeof(struct probe *), PROBE};
const struct weir_protocol probe_large = {.name = "large", .state_size = 4096, PROBE};
const struct weir_protocol probe_bare = {.name = "bare",
                                         .state_size = sizeof(struct probe *),
                                         .input_max = 8,
                                         .open = probe_open,
                                         .input = probe_input,
                                         .close = probe_close};

static struct sim *new_sim(const struct sim_options *options)
{
    struct sim *sim;
    assert_int_equal(sim_new(options, &sim), 0);
    return sim;
}

struct sim *calm(void)
{
    return new_sim(&(struct sim_options){.seed = 1});
}

struct sim *rough(uint64_t seed)
{
    return new_sim(&(struct sim_options){
        .seed = seed, .cut = SIM_RANDOM, .faults = true, .job_rounds = 3, .fill_waits = 1});
}

void send_text(struct sim_end *end, const char *text)
{
    assert_int_equal(sim_send(end, text, strlen(text)), 0);
}

void run(struct sim *sim)
{
    assert_int_equal(sim_run(sim), 0);
}

void wait_ms(struct sim *sim, uint64_t ms)
{
    assert_int_equal(sim_wait(sim, ms * WEIR_NS_PER_MS), 0);
}

void assert_output(const struct sim_end *end, const char *text)
{
    struct weir_bytes output = sim_output(end);
    assert_int_equal(output.len, strlen(text));
    if (output.len > 0)
        assert_memory_equal(output.at, text, output.len);
}

void assert_open(const struct sim_end *end)
{
    int why = 0;
    assert_false(sim_closed(end, &why));
}

void assert_closed(const struct sim_end *end, int why)
{
    int is = 1;
    assert_true(sim_closed(end, &is));
    assert_int_equal(is, why);
}
