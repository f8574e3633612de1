/* weir connect E: standard input and output to any endpoint, both directions at once. */
#include "cli/commands.h"
#include "cli/tls_client.h"
#include "stream/transport.h"
#include "tbl/limits.h"

#include <weir/process.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct connect_values {
    struct tls_client_options tls;
    unsigned timeout_s;
    unsigned idle_s;
    bool line;
    bool frame;
    bool read;
    bool write;
};

/* --- talking in messages (--line, --frame) --- */

/* One direction: bytes in `in` become messages in `out`, which is sent before more is read. */
struct lane {
    struct weir_stream *from, *to;
    struct weir_stream *busy; /* the one of them that the last step had to do with */
    /* Takes one message off `at`. > 0 bytes taken; 0: not whole yet (`end`: and never will be); -errno. */
    ssize_t (*take)(struct lane *, const char *at, size_t len, bool end);
    char *in, *out;
    size_t in_at, in_len, in_max;
    size_t out_at, out_len;
    bool saw_end; /* of file */
    bool ended;
    short wait; /* POLLIN: for input, POLLOUT: for room, 0: not at all */
};

#define HEAD_BYTES 4 /* the length before each message, most significant byte first */

static void put(struct lane *l, const void *bytes, size_t len)
{
    memcpy(l->out + l->out_len, bytes, len);
    l->out_len += len;
}

/* A line without its end; the last one need not have an end. Returns what to take, 0: not whole. */
static size_t line_find(const char *at, size_t len, bool end, size_t *out_len)
{
    const char *newline = memchr(at, '\n', len);
    *out_len = newline ? (size_t)(newline - at) : len;
    return newline ? *out_len + 1 : end ? len : 0;
}

static ssize_t take_line(struct lane *l, const char *at, size_t len, bool end)
{
    size_t line;
    size_t taken = line_find(at, len, end, &line);
    if (taken == 0)
        return 0;
    put(l, at, line);
    put(l, "\n", 1);
    return (ssize_t)taken;
}

static ssize_t take_line_to_frame(struct lane *l, const char *at, size_t len, bool end)
{
    size_t line;
    size_t taken = line_find(at, len, end, &line);
    if (taken == 0)
        return 0;
    const unsigned char head[HEAD_BYTES] = {(unsigned char)(line >> 24),
                                            (unsigned char)(line >> 16), (unsigned char)(line >> 8),
                                            (unsigned char)line};
    put(l, head, sizeof(head));
    put(l, at, line);
    return (ssize_t)taken;
}

static ssize_t take_frame_to_line(struct lane *l, const char *at, size_t len, bool end)
{
    const unsigned char *head = (const unsigned char *)at;
    if (len < HEAD_BYTES)
        return end ? -EPROTO : 0;
    size_t message = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (message > LIMIT_FRAME_BYTES)
        return -EMSGSIZE;
    if (len < HEAD_BYTES + message)
        return end ? -EPROTO : 0;
    put(l, at + HEAD_BYTES, message);
    put(l, "\n", 1);
    return (ssize_t)(HEAD_BYTES + message);
}

static int lane_init(struct lane *l, struct weir_stream *from, struct weir_stream *to,
                     ssize_t (*take)(struct lane *, const char *, size_t, bool), size_t unit_max)
{
    *l = (struct lane){.from = from, .to = to, .take = take};
    l->in_max = unit_max + HEAD_BYTES;
    l->in = malloc(l->in_max);
    l->out =
        malloc(l->in_max + HEAD_BYTES); /* one message is at most this much longer than it came */
    l->ended = from->in_kind == FD_NONE;
    return l->in && l->out ? 0 : -ENOMEM;
}

static void lane_done(struct lane *l)
{
    free(l->in);
    free(l->out);
}

/* > 0: a message is in `out`; 0: more input is needed; -errno. */
static ssize_t lane_take(struct lane *l)
{
    size_t len = l->in_len - l->in_at;
    l->out_at = l->out_len = 0;
    if (len == 0)
        return 0;
    ssize_t n = l->take(l, l->in + l->in_at, len, l->saw_end);
    if (n == 0 && len == l->in_max)
        return -EMSGSIZE;
    if (n > 0)
        l->in_at += (size_t)n;
    return n;
}

static int lane_read(struct lane *l)
{
    size_t rest = l->in_len - l->in_at;
    memmove(l->in, l->in + l->in_at, rest);
    l->in_at = 0;
    l->in_len = rest;
    ssize_t n = stream_try_read(l->from, l->in + rest, l->in_max - rest);
    if (n == -EAGAIN)
        l->wait = POLLIN;
    else if (n < 0)
        return (int)n;
    else if (n == 0)
        l->saw_end = true;
    else
        l->in_len += (size_t)n;
    return 0;
}

static int lane_write(struct lane *l)
{
    struct iovec iov = {l->out + l->out_at, l->out_len - l->out_at};
    ssize_t n = stream_try_writev(l->to, &iov, 1, false);
    if (n == -EAGAIN)
        l->wait = POLLOUT;
    else if (n < 0)
        return (int)n;
    else
        l->out_at += (size_t)n;
    return 0;
}

/* One thing of: send what is ready, make the next message, read. */
static int lane_step(struct lane *l)
{
    l->wait = 0;
    l->busy = l->to;
    if (l->out_at < l->out_len && l->to->out_kind != FD_NONE)
        return lane_write(l);
    l->busy = l->from;
    ssize_t n = lane_take(l);
    if (n != 0)
        return n < 0 ? (int)n : 0;
    if (!l->saw_end)
        return lane_read(l);
    l->ended = true;
    l->busy = l->to;
    int rc = stream_end(l->to);
    return rc == -EOPNOTSUPP ? 0 : rc;
}

static int lanes_wait(struct lane lanes[2], int idle_ms)
{
    struct pollfd fds[2];
    if (lanes[0].ended && lanes[1].ended)
        return 0;
    for (int i = 0; i < 2; i++) {
        const struct lane *l = &lanes[i];
        int fd = l->wait == POLLIN ? l->from->in : l->to->out;
        short events = l->wait == POLLOUT ? stream_room_event(l->to) : l->wait;
        fds[i] = (struct pollfd){.fd = l->ended ? -1 : fd, .events = events};
        if (!l->ended && !l->wait)
            return 0;
    }
    int rc = wait_fds(fds, 2, deadline_in(idle_ms));
    if (rc < 0)
        return rc;
    for (int i = 0; i < 2; i++)
        if (fds[i].revents)
            lanes[i].wait = 0;
    return 0;
}

/* *out_failed: the stream that an error is of, if it is of one. */
static int lanes_run(struct lane lanes[2], int idle_ms, const struct weir_stream **out_failed)
{
    while (!lanes[0].ended || !lanes[1].ended) {
        for (int i = 0; i < 2; i++) {
            int rc = lanes[i].ended || lanes[i].wait ? 0 : lane_step(&lanes[i]);
            if (rc < 0) {
                *out_failed = lanes[i].busy;
                return rc;
            }
        }
        int rc = lanes_wait(lanes, idle_ms);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int talk_messages(struct weir_stream *user, struct weir_stream *peer, bool frames,
                         int idle_ms, const struct weir_stream **out_failed)
{
    struct lane lanes[2];
    sigset_t pipe;
    size_t max = frames ? LIMIT_FRAME_BYTES : LIMIT_LINE_BYTES;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, NULL);
    int out = lane_init(&lanes[0], user, peer, frames ? take_line_to_frame : take_line, max);
    int in = lane_init(&lanes[1], peer, user, frames ? take_frame_to_line : take_line, max);
    int rc = out < 0 || in < 0 ? -ENOMEM : lanes_run(lanes, idle_ms, out_failed);
    lane_done(&lanes[0]);
    lane_done(&lanes[1]);
    return rc;
}

/* --- the command --- */

static int to_ms(unsigned seconds)
{
    return seconds == 0 ? WEIR_FOREVER : (int)seconds * 1000;
}

static const char *reason(const struct weir_stream *failed, int error)
{
    if (weir_stream_why(failed)[0])
        return weir_stream_why(failed);
    switch (error) {
    case -EMSGSIZE:
        return "a message is longer than can be handled";
    case -EPROTO:
        return "the connection ended in the middle of a message";
    case -ETIMEDOUT:
        return "nothing came in time";
    default:
        return strerrordesc_np(-error);
    }
}

static int talk_bytes(struct weir_stream *user, struct weir_stream *peer, int idle_ms,
                      const struct weir_stream **out_failed)
{
    struct weir_relay count = {0};
    int rc = weir_relay(user, peer, idle_ms, &count);
    if (count.a_error) {
        *out_failed = user;
        return count.a_error;
    }
    return rc;
}

static int talk(struct weir_stream *user, struct weir_stream *peer, const char *name,
                const struct connect_values *v)
{
    const struct weir_stream *failed = peer;
    int rc = v->line || v->frame ? talk_messages(user, peer, v->frame, to_ms(v->idle_s), &failed)
                                 : talk_bytes(user, peer, to_ms(v->idle_s), &failed);
    if (rc == 0)
        return 0;
    /* Whoever read our output has what it wanted (as in: weir connect ... | head). */
    if (failed == user && rc == -EPIPE)
        return 1;
    complain(&command_connect, "%s: %s", failed == user ? "standard input or output" : name,
             reason(failed, rc));
    return 1;
}

/* Of an endpoint that goes one way, the reading side is meant unless --write says otherwise. */
static unsigned peer_side(const char *name, const struct connect_values *v)
{
    const char *rest;
    bool one_way = endpoint_split(name, &rest)->one_way;
    if (v->write)
        return WEIR_WRITE | (one_way ? WEIR_CREATE : 0);
    return v->read || one_way ? WEIR_READ : 0;
}

/* The child's own status, as a shell would show it. */
static int exit_status(const char *name, int status, int closed)
{
    if (status != 0 || closed == 0)
        return status;
    if (closed < 0) {
        complain(&command_connect, "%s: %s", name, strerrordesc_np(-closed));
        return 1;
    }
    return closed >= WEIR_SIGNALLED ? 128 + (closed - WEIR_SIGNALLED) : closed;
}

static int connect_and_talk(const char *name, const struct connect_values *v)
{
    struct weir_stream *peer;
    struct weir_stream *user;
    char why[512];
    unsigned side = peer_side(name, v);
    int rc = weir_open_why(name, side, to_ms(v->timeout_s), &peer, why, sizeof(why));
    if (rc < 0) {
        complain(&command_connect, "cannot open %s: %s", name, why);
        return 1;
    }
    unsigned user_side = side & WEIR_READ ? WEIR_WRITE : side & WEIR_WRITE ? WEIR_READ : 0;
    rc = weir_open("-", user_side, WEIR_FOREVER, &user);
    if (rc < 0) {
        complain(&command_connect, "cannot use standard input and output: %s",
                 strerrordesc_np(-rc));
        (void)weir_close(peer);
        return 1;
    }
    int status = talk(user, peer, name, v);
    status = exit_status(name, status, weir_close(peer));
    return exit_status("standard output", status, weir_close(user));
}

static int run(void *values, int argc, char **argv)
{
    const struct connect_values *v = values;
    char why[512], text[TLS_CLIENT_NAME_MAX];
    const char *name;
    if (argc != 1)
        return usage_error(&command_connect,
                           "needs one endpoint, as in: weir connect tcp:127.0.0.1:7000");
    if (v->line && v->frame)
        return usage_error(&command_connect, "--line and --frame exclude each other");
    if (v->read && v->write)
        return usage_error(&command_connect, "--read and --write exclude each other");
    int status = tls_client_name(&command_connect, &v->tls, argv[0], text, &name);
    if (status != 0)
        return status;
    if (weir_endpoint_check(name, false, why, sizeof(why)) < 0)
        return usage_error(&command_connect, "%s", why);
    tls_client_warn(&command_connect, &v->tls);
    return connect_and_talk(name, v);
}

static void defaults(void *values)
{
    struct connect_values *v = values;
    v->timeout_s = 30;
}

#define AT(member) offsetof(struct connect_values, member)

static const struct option_row options[] = {
    {"line", 'l', OPTION_FLAG, NULL, "talk in lines: only whole ones are sent and shown", AT(line),
     0, 0, OPTION_COMMAND, false},
    {"frame", 'f', OPTION_FLAG, NULL,
     "talk in messages with a 4-byte length before each; here one a line", AT(frame), 0, 0,
     OPTION_COMMAND, false},
    {"read", 'r', OPTION_FLAG, NULL, "only receive", AT(read), 0, 0, OPTION_COMMAND, false},
    {"write", 'w', OPTION_FLAG, NULL, "only send", AT(write), 0, 0, OPTION_COMMAND, false},
    {"timeout", 't', OPTION_COUNT, "SECONDS", "how long connecting may take; 0: for ever (30)",
     AT(timeout_s), 0, 86400, OPTION_COMMAND, false},
    {"idle", 'i', OPTION_COUNT, "SECONDS", "end after so long without a byte; 0: never (0)",
     AT(idle_s), 0, 86400, OPTION_COMMAND, false},
    TLS_TRUST_OPTION_ROWS(connect_values, tls),
    TLS_SHOW_OPTION_ROWS(connect_values, tls),
};

const struct command command_connect = {
    .name = "connect",
    .synopsis = "[options] ENDPOINT",
    .summary = "connect standard input and output to an endpoint",
    .examples = "weir connect tcp:127.0.0.1:7000\n"
                "echo hello | weir connect --line unix:/run/app.sock\n"
                "weir connect tls:example.org:443\n"
                "weir connect exec:'sort -u' < names\n",
    .exits = "0    both directions ended well\n"
             "1    it could not connect, or the connection broke, or nothing came for --idle\n"
             "2    wrong usage\n"
             "N    exec: the child's own status; 128 and the signal's number if one killed it\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .values_size = sizeof(struct connect_values),
    .defaults = defaults,
    .run = run,
};
