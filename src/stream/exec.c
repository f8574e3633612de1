/*
 * exec:COMMAND, a child's standard input and output. Two pipes rather than one socketpair: most programs expect
 * pipes there, some refuse anything else (a shell's >/dev/stdout, for one, cannot open a socket), and closing one is a half-close
 * that needs no shutdown(2).
 */
#include "stream/process_impl.h"
#include "stream/transport.h"
#include "stream/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char *exec_check(const char *rest, bool for_listening)
{
    char **words;
    (void)for_listening;
    if (!rest[0])
        return "the command is missing";
    int rc = weir_words(rest, &words);
    if (rc == -EINVAL)
        return "the command is empty or a quote in it is not closed";
    if (rc == 0)
        free(words);
    return NULL;
}

struct exec_pipes {
    int in[2];  /* the child's standard output, which we read */
    int out[2]; /* the child's standard input, which we write */
};

static void close_pair(const int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int open_pipes(struct exec_pipes *p, unsigned how)
{
    *p = (struct exec_pipes){{-1, -1}, {-1, -1}};
    if (how & WEIR_READ && pipe2(p->in, O_CLOEXEC) < 0)
        return -errno;
    if (how & WEIR_WRITE && pipe2(p->out, O_CLOEXEC) < 0)
        return -errno;
    return 0;
}

static int start(const char *command, unsigned how, const struct exec_pipes *p,
                 struct weir_process **out)
{
    const struct weir_fd_map map[] = {
        {p->out[0], STDIN_FILENO}, /* -1: /dev/null */
        {how & WEIR_READ ? p->in[1] : STDOUT_FILENO, STDOUT_FILENO},
        {STDERR_FILENO, STDERR_FILENO},
    };
    const struct weir_process_options options = {.map = map, .map_count = 3};
    char **words;
    int rc = weir_words(command, &words);
    if (rc < 0)
        return rc;
    rc = weir_process_start((const char *const *)words, &options, out);
    free(words);
    return rc;
}

static int take_end(int *fd, unsigned how, struct weir_stream *out)
{
    stream_init_none(out);
    if (*fd < 0)
        return 0;
    int rc = stream_claim(out, *fd, how, FD_OURS);
    if (rc == 0)
        *fd = -1;
    return rc;
}

static int open_child(const char *command, unsigned how, struct exec_pipes *p,
                      struct weir_stream *out)
{
    struct weir_stream in;
    struct weir_stream writer;
    struct weir_process *child;
    int rc = take_end(&p->in[0], WEIR_READ, &in);
    if (rc < 0)
        return rc;
    rc = take_end(&p->out[1], WEIR_WRITE, &writer);
    if (rc == 0)
        rc = start(command, how, p, &child);
    if (rc < 0) {
        stream_done(&in);
        stream_done(&writer);
        return rc;
    }
    stream_join(out, &in, &writer);
    out->child = child;
    return 0;
}

static int exec_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    struct exec_pipes pipes;
    unsigned both = WEIR_READ | WEIR_WRITE;
    (void)deadline;
    how = how & both ? how & both : both;
    int rc = open_pipes(&pipes, how);
    if (rc == 0)
        rc = open_child(rest, how, &pipes, out);
    close_pair(pipes.in);
    close_pair(pipes.out);
    return rc;
}

const struct transport exec_transport = {
    .scheme = "exec",
    .form = "exec:COMMAND",
    .example = "exec:sort -u",
    .check = exec_check,
    .open = exec_open,
};
