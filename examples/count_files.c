/*
 * find . -name '*.c' | grep echo_ | wc -l, built from processes and pipes, with no shell.
 *
 * run: ./count_files -> "3\n"
 */
#include <weir/process.h>
#include <weir/stream.h>

#include <stdio.h>
#include <string.h>

#define STAGES 3

static const char *const stages[STAGES][5] = {
    {"find", ".", "-name", "*.c"}, {"grep", "echo_"}, {"wc", "-l"}};

/* Each stage reads from `from` and writes to `to`; nothing else is inherited. */
static int start(const char *const *argv, int from, int to, struct weir_process **out)
{
    struct weir_fd_map map[] = {{from, 0}, {to, 1}, {2, 2}};
    int error =
        weir_process_start(argv, &(struct weir_process_options){.map = map, .map_count = 3}, out);
    if (error < 0)
        fprintf(stderr, "count_files: %s: %s\n", argv[0], strerror(-error));
    return error;
}

int main(void)
{
    struct weir_process *process[STAGES];
    struct weir_stream *pipe[2], *before = NULL;
    int status = 0;
    for (int i = 0; i < STAGES; i++) {
        bool last = i == STAGES - 1;
        if (!last && weir_pipe(pipe) < 0)
            return 1;
        if (start(stages[i], before ? weir_read_fd(before) : -1, last ? 1 : weir_write_fd(pipe[1]),
                  &process[i]) < 0)
            return 1;
        weir_close(before); /* ours go, or the next stage would never see the end */
        if (!last)
            weir_close(pipe[1]);
        before = last ? NULL : pipe[0];
    }
    for (int i = 0; i < STAGES; i++) {
        status |= weir_process_wait(process[i], WEIR_FOREVER);
        weir_process_free(process[i]);
    }
    return status;
}
