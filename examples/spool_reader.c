/*
 * The consumer of two that need not live at the same time: takes what it has not taken before, and remembers how far it came.
 * A second argument makes it stay and wait for more.
 *
 * run: ./spool_reader TMP -> ""
 */
#include <weir/spool.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct weir_spool_reader *spool;
    struct weir_spool_message message;
    const struct weir_spool_reader_options options = {.name = "kitchen"};
    int wait_ms = argc > 2 ? -1 : 0;
    int rc = weir_spool_reader_open(argc > 1 ? argv[1] : "/tmp/weir-orders", &options, &spool);
    if (rc < 0) {
        fprintf(stderr, "cannot open the spool: %s\n", strerror(-rc));
        return 1;
    }
    while ((rc = weir_spool_next(spool, wait_ms, &message)) > 0) {
        printf("%llu: %.*s\n", (unsigned long long)message.number, (int)message.len,
               (const char *)message.bytes);
        if (fflush(stdout) != 0 || (rc = weir_spool_commit(spool)) < 0) /* done: never again */
            break;
    }
    if (rc < 0)
        fprintf(stderr, "%s\n", strerror(-rc)); /* -EBADMSG: the disk has spoilt something */
    weir_spool_reader_close(spool);
    return rc < 0;
}
