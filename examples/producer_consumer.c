/*
 * A producer and a consumer over a file. They need not live at the same time: the file keeps what the one wrote until
 * the other reads it, which a pipe does not. A file never makes its reader wait: its end is simply where it ends.
 *
 * run: ./producer_consumer TMP/orders -> "order 1\norder 2\norder 3\n"
 */
#include <weir/stream.h>

#include <stdio.h>

static int produce(const char *endpoint)
{
    struct weir_stream *file;
    char text[32];
    int error = weir_open(endpoint, WEIR_WRITE | WEIR_CREATE | WEIR_TRUNCATE, 0, &file);
    if (error < 0)
        return error;
    for (int i = 1; i <= 3 && error == 0; i++) {
        int len = snprintf(text, sizeof text, "order %d\n", i);
        error = weir_write_all(file, text, (size_t)len); /* a full disk is -ENOSPC, not a wait */
    }
    int late = weir_close(file);
    return error < 0 ? error : late;
}

static int consume(const char *endpoint)
{
    struct weir_stream *file, *out;
    uint64_t bytes;
    bool reading;
    if (weir_open(endpoint, WEIR_READ, 0, &file) < 0)
        return -1;
    int error = weir_open("fd:1", WEIR_WRITE, 0, &out);
    if (error == 0) {
        error = weir_copy(file, out, &bytes, &reading); /* the kernel copies where it can */
        weir_close(out);
    }
    weir_close(file);
    return error;
}

int main(int argc, char **argv)
{
    char endpoint[4096];
    snprintf(endpoint, sizeof endpoint, "file:%s", argc > 1 ? argv[1] : "/tmp/weir-orders");
    return produce(endpoint) < 0 || consume(endpoint) < 0;
}
