/* Heads from a program: found in the same place whole and byte by byte, and what goes on of one is a head that can be read again. */
#include "http/cgi_head.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_lines(const char *lines, size_t len)
{
    if (memmem(lines, len, "\r\n\r\n", 4) || memchr(lines, '\0', len))
        abort();
    if (len > 0 && (len < 4 || memcmp(lines + len - 2, "\r\n", 2) != 0 || lines[0] == '\r'))
        abort();
    for (size_t i = 0; i < len; i++)
        if (lines[i] == '\n' ? i == 0 || lines[i - 1] != '\r'
                             : lines[i] == '\r' && lines[i + 1] != '\n')
            abort();
}

static void read_head(const char *head, size_t len)
{
    struct cgi_head read;
    struct text t;
    if (cgi_head_read(head, len, &read) < 0)
        return;
    if (read.status != 0 && (read.status < 200 || read.status > 599))
        abort();
    if (read.local &&
        (read.location.at[0] != '/' || memchr(read.location.at, ' ', read.location.len)))
        abort();
    char *lines = malloc(read.lines_max + 1);
    text_init(&t, lines, read.lines_max);
    cgi_head_lines(head, len, &t);
    if (t.cut)
        abort();
    check_lines(lines, t.len);
    free(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len ? len : 1); /* its very end is watched */
    memcpy(text, bytes, len);
    size_t whole = 0, steps = 0, found = 0;
    size_t head_len = cgi_head_find(&whole, text, len);
    for (size_t n = 0; n <= len && found == 0; n++)
        found = cgi_head_find(&steps, text, n);
    if (found != head_len)
        abort();
    if (head_len > 0)
        read_head(text, head_len);
    int status = cgi_head_status(text, len);
    if (status > 0 && (status < 200 || status > 599))
        abort();
    free(text);
    return 0;
}
