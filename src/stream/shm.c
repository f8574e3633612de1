/* shm:PATH and shm:@NAME: shared memory between two processes that meet at a Unix socket. */
#include "stream/shm.h"

#include "base/bytes.h"
#include "stream/transport.h"
#include "stream/value.h"
#include "tbl/limits.h"

#include <weir/shm.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_OPTION "?size="

/* --- names --- */

struct shm_name {
    char path
        [110]; /* one more than a Unix socket's can have, and NUL: so that check() sees one that is too long */
    size_t bytes; /* of one ring; 0: the option is not right */
    bool sized;
};

/* "65536", "64K", "1M". 0: none of these, or too much. */
static size_t parse_size(const char *text)
{
    size_t len = strlen(text);
    unsigned shift = 0;
    uint64_t number;
    if (len > 0 && (text[len - 1] == 'K' || text[len - 1] == 'M'))
        shift = text[--len] == 'K' ? 10 : 20;
    if (bytes_u64((struct weir_bytes){text, len}, &number) < 0 || number == 0 ||
        number > LIMIT_SHM_BYTES >> shift)
        return 0;
    return shm_size(number << shift);
}

static void split(const char *rest, struct shm_name *out)
{
    const char *option = strstr(rest, SIZE_OPTION);
    size_t len = option ? (size_t)(option - rest) : strlen(rest);
    len = len < sizeof(out->path) ? len : sizeof(out->path) - 1;
    memcpy(out->path, rest, len);
    out->path[len] = '\0';
    out->sized = option != NULL;
    out->bytes = option ? parse_size(option + strlen(SIZE_OPTION)) : shm_size(LIMIT_SHM_DEFAULT);
}

static const char *shm_check(const char *rest, bool for_listening)
{
    struct shm_name name;
    split(rest, &name);
    if (name.sized && !for_listening)
        return "the size is for the listener to choose";
    if (name.bytes == 0)
        return "the size is not a number of bytes up to 64M (K and M may follow it)";
    return unix_transport.check(name.path, for_listening);
}

/* --- streams --- */

void stream_init_shm(struct weir_stream *s, struct shm *shm)
{
    stream_init_none(s);
    s->shm = shm;
    s->in = shm->in_set;
    s->out = shm->out_set;
    s->in_kind = FD_SHM;
    s->out_kind = FD_SHM;
    s->own_in = s->own_out = true;
    s->peer = (struct address){.family = AF_UNIX,
                               .unix_peer = {.pid = shm->far.pid, .uid = shm->far.uid}};
}

static int shm_open_stream(const char *rest, unsigned how, uint64_t deadline,
                           struct weir_stream *out)
{
    struct weir_stream socket;
    struct shm *shm;
    int rc = unix_transport.open(rest, how, deadline, &socket);
    if (rc < 0)
        return rc;
    rc = shm_join(socket.in, deadline, &shm);
    if (rc == 0)
        stream_init_shm(out, shm);
    return rc;
}

static int rename_listener(struct weir_listener *l)
{
    const char *path = l->name + strlen("unix:");
    char *name = malloc(strlen(path) + sizeof("shm:"));
    if (!name)
        return -ENOMEM;
    strcpy(stpcpy(name, "shm:"), path);
    free(l->name);
    l->name = name;
    return 0;
}

static int shm_listen(const char *rest, const struct listen_options *options,
                      struct weir_listener *l)
{
    struct shm_name name;
    split(rest, &name);
    int rc = unix_transport.listen(name.path, options, l);
    l->shm_bytes = name.bytes;
    return rc < 0 ? rc : rename_listener(l);
}

int shm_accept(struct shm *next, int client, struct weir_stream *out)
{
    int rc = shm_greet(next, client);
    if (rc < 0) {
        fd_release(client);
        shm_close(next);
        return rc;
    }
    stream_init_shm(out, next);
    return 0;
}

const struct transport shm_transport = {
    .scheme = "shm",
    .form = "shm:PATH or shm:@NAME (?size=BYTES behind it to listen)",
    .example = "shm:/tmp/weir.shm",
    .check = shm_check,
    .open = shm_open_stream,
    .listen = shm_listen,
};

/* --- both ends in one process --- */

static int join_pair(struct shm *server, int fds[2], struct weir_stream ends[2])
{
    struct shm *client;
    int rc = shm_accept(server, fds[0], &ends[0]);
    if (rc < 0) {
        fd_release(fds[1]);
        return rc;
    }
    rc = shm_join(fds[1], 0, &client);
    if (rc < 0)
        stream_done(&ends[0]);
    else
        stream_init_shm(&ends[1], client);
    return rc;
}

WEIR_API int weir_shm_pair(size_t bytes, struct weir_stream *out_ends[2])
{
    int fds[2];
    struct shm *server;
    struct weir_stream ends[2];
    size_t size = shm_size(bytes ? bytes : LIMIT_SHM_DEFAULT);
    if (size == 0)
        return -EINVAL;
    int rc = shm_new(size, &server);
    if (rc < 0)
        return rc;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) {
        rc = -errno;
        shm_close(server);
        return rc;
    }
    rc = join_pair(server, fds, ends);
    return rc < 0 ? rc : streams_to_heap(ends, out_ends);
}
