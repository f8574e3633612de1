/*
 * Lines from any endpoint, and how long each is, with a buffer on either side: a system call for thousands of them. The writer
 * is tied to the reader: before the next line is waited for, what was said of those before is sent.
 *
 * run: ./line_lengths "exec:printf 'weir\n\nlock gate\nlast'" -> "4 weir\n0 \n9 lock gate\n4 last\n"
 */
#include <weir/buffer.h>

#include <stdio.h>

static int answer(struct weir_reader *in, struct weir_writer *out)
{
    struct weir_bytes line;
    int rc;
    while ((rc = weir_reader_line(in, &line)) == 1) {
        char length[24];
        int len = snprintf(length, sizeof length, "%zu ", line.len);
        if ((rc = weir_writer_put(out, length, (size_t)len)) < 0 ||
            (rc = weir_writer_put(out, line.at, line.len)) < 0 ||
            (rc = weir_writer_put(out, "\n", 1)) < 0)
            break;
    }
    return rc; /* -EMSGSIZE: a line of more than a megabyte */
}

int main(int argc, char **argv)
{
    struct weir_stream *from, *to;
    struct weir_reader in;
    struct weir_writer out;
    if (weir_open(argc > 1 ? argv[1] : "fd:0", WEIR_READ, 5000, &from) < 0 ||
        weir_open("fd:1", WEIR_WRITE, 0, &to) < 0 || weir_reader_init(&in, from, 0) < 0 ||
        weir_writer_init(&out, to) < 0)
        return 1;
    weir_reader_tie(&in, &out);
    int rc = answer(&in, &out);
    int late = weir_writer_done(&out); /* a full disk is told here */
    weir_reader_done(&in);
    weir_close(to);
    return weir_close(from) != 0 || rc < 0 || late < 0;
}
