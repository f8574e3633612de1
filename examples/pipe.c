/*
 * A pipe in one process: what a weir_stream promises, shown in a few lines. The writer closes, the reader drains
 * what is left and then sees the end. When the reader has closed, the writer gets an error and never a signal.
 *
 * run: ./pipe -> "read: hello\nthen: 0\nwrite: Broken pipe\n"
 */
#include <weir/stream.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    struct weir_stream *ends[2];
    char text[64];
    if (weir_pipe(ends) < 0 || weir_write_all(ends[1], "hello", 5) < 0)
        return 1;
    weir_close(ends[1]); /* the last writer */
    ssize_t n = weir_read(ends[0], text, sizeof text);
    printf("read: %.*s\n", (int)n, text);
    printf("then: %zd\n", weir_read(ends[0], text, sizeof text)); /* 0: end of file */
    weir_close(ends[0]);

    if (weir_pipe(ends) < 0)
        return 1;
    weir_close(ends[0]); /* the last reader */
    printf("write: %s\n", strerror(-weir_write_all(ends[1], "lost", 4)));
    weir_close(ends[1]);
    return 0;
}
