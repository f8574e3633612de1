#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void wake(struct weir_driver *driver, struct weir_conn *conn)
{
    (void)conn;
    ((struct world *)driver)->wakes++;
}

static int peer(struct weir_driver *driver, struct weir_conn *conn, char *text, size_t size,
                unsigned *out_port)
{
    (void)driver;
    (void)conn;
    strncpy(text, "[2001:db8::1]", size);
    *out_port = 4711;
    return 0;
}

static const struct weir_driver_ops ops = {.name = "test", .wake = wake, .peer = peer};

struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    pool_init(&w->pool, 8);
    w->driver = (struct weir_driver){.ops = &ops,
                                     .pool = &w->pool,
                                     .hot = w->hot,
                                     .hot_size = sizeof(w->hot),
                                     .now = {1000 * WEIR_NS_PER_S, 784111777 * 1000000000ll}};
    return w;
}

void world_free(struct world *w)
{
    weir_conn_free(w->conn);
    pool_done(&w->pool);
    free(w);
}

void world_connect(struct world *w, const struct weir_protocol *protocol, const void *config)
{
    weir_conn_free(w->conn);
    w->conn = weir_conn_new(&w->driver, protocol, config);
    assert_non_null(w->conn);
    world_turn(w);
}

static size_t send_file(struct world *w, const struct weir_span *file)
{
    ssize_t n =
        pread(file->fd, w->output + w->output_len,
              file->len < WORLD_OUTPUT - w->output_len ? file->len : WORLD_OUTPUT - w->output_len,
              (off_t)file->offset);
    return n > 0 ? (size_t)n : 0;
}

static void send_all(struct world *w)
{
    struct iovec iov[64];
    const struct weir_span *file;
    int count = weir_conn_gather(w->conn, iov, 64, &file);
    size_t sent = 0;
    w->gathers++;
    w->spans += (size_t)count;
    for (int i = 0; i < count; i++) {
        assert_true(iov[i].iov_len < WORLD_OUTPUT - w->output_len);
        memcpy(w->output + w->output_len, iov[i].iov_base, iov[i].iov_len);
        w->output_len += iov[i].iov_len;
        sent += iov[i].iov_len;
    }
    if (count == 0) {
        sent = send_file(w, file);
        w->output_len += sent;
    }
    weir_conn_sent(w->conn, sent > 0 ? (ssize_t)sent : -5);
}

void world_turn(struct world *w)
{
    for (;;) {
        w->want = weir_conn_turn(w->conn);
        if (w->want & WEIR_IO_WRITE)
            send_all(w);
        else if (w->want & WEIR_IO_END)
            weir_conn_ended(w->conn);
        else
            return;
    }
}

void world_feed(struct world *w, const char *bytes, size_t len, size_t piece)
{
    size_t at = 0;
    while (at < len && !world_closed(w)) {
        size_t n = len - at < piece ? len - at : piece;
        n = n < sizeof(w->hot) ? n : sizeof(w->hot);
        memcpy(w->hot, bytes + at, n);
        size_t taken = weir_conn_feed(w->conn, w->hot, n);
        assert_true(taken > 0);
        at += taken;
        world_turn(w);
        memset(w->hot, '#', n); /* input is borrowed for the turn, and no longer */
    }
}

void world_say(struct world *w, const char *text)
{
    world_feed(w, text, strlen(text), SIZE_MAX);
}

const char *world_take(struct world *w)
{
    w->output[w->output_len] = '\0';
    w->output_len = 0;
    return w->output;
}

bool world_closed(const struct world *w)
{
    return w->want & WEIR_IO_CLOSE;
}

void world_wait(struct world *w, uint64_t ms)
{
    w->driver.now.mono_ns += ms * WEIR_NS_PER_MS;
    w->driver.now.wall_ns += (int64_t)(ms * WEIR_NS_PER_MS);
    world_turn(w);
}
