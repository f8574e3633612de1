/*
 * The producer of two that need not live at the same time: what it was told is kept, outlives it, its crash, and a power failure.
 * Run it again and again; spool_reader.c takes what is new.
 *
 * run: ./spool_writer TMP/orders tea soup -> "kept 2\n"
 */
#include <weir/spool.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct weir_spool_writer *spool;
    const struct weir_spool_options options = {.sync_ms = 0, .keep_bytes = 1 << 30};
    int error = weir_spool_writer_open(argc > 1 ? argv[1] : "/tmp/weir-orders", &options, &spool);
    if (error < 0) { /* -EBUSY: another writer has it */
        fprintf(stderr, "cannot open the spool: %s\n", strerror(-error));
        return 1;
    }
    for (int i = 2; i < argc && error == 0; i++)
        error = weir_spool_append(spool, argv[i], strlen(argv[i])); /* durable when it returns */
    if (error < 0) /* -ENOSPC: the spool is as it was before */
        fprintf(stderr, "not appended: %s\n", strerror(-error));
    printf("kept %llu\n", (unsigned long long)weir_spool_kept(spool));
    int late = weir_spool_writer_close(spool);
    return error < 0 || late < 0;
}
