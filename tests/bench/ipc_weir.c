/* ipc_weir.c: the same through the library. */
#include "ipc.h"

#include <weir/buffer.h>
#include <weir/shm.h>

#include <stdlib.h>

static struct weir_stream *ends[2][2]; /* [child][0 in, 1 out] */
static struct weir_stream *in, *out;
static struct weir_reader reader;
static struct weir_writer writer;

static void check(int rc, const char *what)
{
    errno = -rc;
    if (rc < 0)
        give_up(what);
}

static void make_pipes(void)
{
    for (int i = 0; i < 2; i++) {
        struct weir_stream *pair[2];
        check(weir_pipe(pair), "weir_pipe");
        ends[i][0] = pair[0];
        ends[!i][1] = pair[1];
    }
}

static void take_pair(struct weir_stream *pair[2])
{
    for (int i = 0; i < 2; i++)
        ends[i][0] = ends[i][1] = pair[i];
}

static void make_unix(void)
{
    struct weir_stream *pair[2];
    check(weir_pair(pair), "weir_pair");
    take_pair(pair);
}

static void make_tcp(void)
{
    struct weir_listener *listener;
    struct weir_stream *pair[2];
    check(weir_listen("tcp:127.0.0.1:0", 0, &listener), "weir_listen");
    check(weir_open(weir_listener_name(listener), 0, 1000, &pair[0]), "weir_open");
    check(weir_accept(listener, 1000, &pair[1]), "weir_accept");
    weir_listener_close(listener);
    take_pair(pair);
}

static void make_rings(void)
{
    struct weir_stream *pair[2];
    check(weir_shm_pair(RING_BYTES, pair), "weir_shm_pair");
    take_pair(pair);
}

void contender_prepare(const struct job *job)
{
    static void (*const make[])(void) = {make_pipes, make_unix, make_tcp, make_rings};
    make[job->transport]();
}

void contender_take(const struct job *job, bool child)
{
    struct weir_stream **other = ends[!child];
    in = ends[child][0];
    out = ends[child][1];
    weir_close(other[0]);
    if (other[1] != other[0])
        weir_close(other[1]);
    if (job->spin)
        weir_set_spin(in, 1000);
    check(weir_reader_init(&reader, in, 0), "weir_reader_init");
    check(weir_writer_init(&writer, out), "weir_writer_init");
}

void contender_send(const struct job *job, unsigned count)
{
    int rc = 0;
    const size_t len = job->bytes;
    if (job->framed)
        for (unsigned i = 0; i < count && rc == 0; i++)
            rc = weir_writer_frame(&writer, block, len);
    else
        for (unsigned i = 0; i < count && rc == 0; i++)
            rc = weir_write_all(out, block, len);
    check(rc, "weir_write_all");
}

void contender_receive(const struct job *job, unsigned count)
{
    struct weir_bytes message;
    for (unsigned i = 0; i < count; i++) {
        if (job->framed) {
            if (weir_reader_frame(&reader, &message) != 1)
                give_up("weir_reader_frame");
            block[0] ^= (uint8_t)message.at[0];
        } else if (weir_read_full(in, block, job->bytes) != (ssize_t)job->bytes) {
            give_up("weir_read_full");
        }
    }
}
