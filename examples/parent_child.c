/*
 * Parent and child over a pipe. The child is a function in a process of its own; it gets the descriptors the map
 * names and no others. Its end comes back as a value.
 *
 * run: ./parent_child -> "from the child: 6 x 7 = 42\nthe child exited with status 0\n"
 */
#include <weir/process.h>
#include <weir/stream.h>

#include <stdio.h>

static int child(void *arg)
{
    struct weir_stream *out;
    char text[32];
    int n = snprintf(text, sizeof text, "6 x 7 = %d\n", 6 * *(int *)arg);
    if (weir_open("fd:1", WEIR_WRITE, WEIR_FOREVER, &out) < 0)
        return 1;
    return weir_write_all(out, text, (size_t)n) < 0 || weir_close(out) < 0;
}

int main(void)
{
    struct weir_stream *ends[2];
    struct weir_process *process;
    char text[64];
    int seven = 7;
    if (weir_pipe(ends) < 0)
        return 1;
    struct weir_fd_map map[] = {{weir_write_fd(ends[1]), 1}, {2, 2}};
    struct weir_process_options options = {.map = map, .map_count = 2};
    if (weir_process_call(child, &seven, &options, &process) < 0)
        return 1;
    weir_close(ends[1]); /* only the child can write now, so its end is the end of file */
    ssize_t n = weir_read_full(ends[0], text, sizeof text);
    printf("from the child: %.*s", (int)n, text);
    int status = weir_process_wait(process, WEIR_FOREVER);
    printf("the child %s\n", weir_process_status(status, text, sizeof text));
    weir_process_free(process);
    weir_close(ends[0]);
    return status;
}
