/*
 * How two processes come to share memory: the server makes it and sends it over the Unix socket, as soon as it has accepted,
 * in one message with both bells. It never waits for the client. The client waits, and looks at what it got before it touches it.
 */
#include "stream/shm.h"
#include "stream/value.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC   0x77656972u /* "weir" */
#define VERSION 1u
#define FDS     3 /* memory, the server's bell, the client's bell */

struct hello {
    uint32_t magic;
    uint32_t version;
    uint64_t bytes; /* of one ring */
};

union control {
    char room[CMSG_SPACE(FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr align;
};

static struct shm *shm_alloc(void)
{
    struct shm *shm = aligned_alloc(RING_LINE, sizeof(*shm));
    if (!shm)
        return NULL;
    *shm = (struct shm){.in_set = -1,
                        .out_set = -1,
                        .in_patience = {LIMIT_SHM_PAUSES, LIMIT_SHM_YIELD_NS, 0},
                        .out_patience = {LIMIT_SHM_PAUSES, LIMIT_SHM_YIELD_NS, 0},
                        .socket = -1,
                        .bell = -1,
                        .far_bell = -1,
                        .far_owner = -1,
                        .memory = -1};
    atomic_store(&shm->owner, (int)getpid());
    return shm;
}

static void close_one(int fd)
{
    if (fd >= 0)
        fd_release(fd);
}

void shm_close(struct shm *shm)
{
    if (!shm)
        return;
    shm_unmap(&shm->map);
    close_one(shm->in_set);
    close_one(shm->out_set);
    close_one(shm->bell);
    close_one(shm->far_bell);
    close_one(shm->far_owner);
    close_one(shm->memory);
    close_one(shm->socket); /* last: whoever is told finds all else done */
    free(shm);
}

/* `reads`: the ring this end reads. */
static void use_rings(struct shm *shm, unsigned reads)
{
    const struct shm_map *map = &shm->map;
    unsigned writes = 1 - reads;
    ring_reader_init(&shm->in, shm_map_shared(map, reads), shm_map_bytes(map, reads), map->bytes);
    ring_writer_init(&shm->out, shm_map_shared(map, writes), shm_map_bytes(map, writes),
                     map->bytes);
    /* As if it had looked and found nothing: whoever waits for the first byte without trying is woken by it. */
    (void)ring_reader_waits(&shm->in);
    shm->in_waits = true;
}

static int make_server(size_t bytes, struct shm *shm)
{
    shm->memory = shm_memory_new(bytes);
    if (shm->memory < 0)
        return shm->memory;
    int rc = shm_map(shm->memory, bytes, &shm->map);
    if (rc < 0)
        return rc;
    shm->bell = shm_bell_new();
    shm->far_bell = shm_bell_new();
    if (shm->bell < 0 || shm->far_bell < 0)
        return shm->bell < 0 ? shm->bell : shm->far_bell;
    use_rings(shm, 1);
    return shm_watch_bell(shm);
}

int shm_new(size_t bytes, struct shm **out)
{
    struct shm *shm = shm_alloc();
    int rc = shm ? make_server(bytes, shm) : -ENOMEM;
    if (rc < 0)
        shm_close(shm);
    else
        *out = shm;
    return rc;
}

static int send_hello(const struct shm *shm, int socket)
{
    const struct hello hello = {MAGIC, VERSION, shm->map.bytes};
    const int fds[FDS] = {shm->memory, shm->bell, shm->far_bell};
    union control control = {{0}};
    struct iovec iov = {(void *)&hello, sizeof(hello)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(sizeof(fds))};
    control.align.cmsg_level = SOL_SOCKET;
    control.align.cmsg_type = SCM_RIGHTS;
    control.align.cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(&control.align), fds, sizeof(fds));
    /* Nothing was sent over this socket yet, so there is room. */
    ssize_t n = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : n == sizeof(hello) ? 0 : -EPIPE;
}

int shm_greet(struct shm *shm, int socket)
{
    int on = 1;
    socklen_t len = sizeof(shm->far);
    if (setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
        getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &shm->far, &len) < 0)
        return -errno;
    int rc = send_hello(shm, socket);
    if (rc < 0)
        return rc;
    shm->socket = socket;
    rc = shm_watch_life(shm);
    if (rc < 0) {
        shm->socket = -1;
        return rc;
    }
    atomic_store(&shm->owner, (int)getpid());
    close_one(shm->memory);
    shm->memory = -1;
    return 0;
}

/* Takes what the message brought: `fds` of it, and who sent it. false: not what a server sends; all is closed. */
static bool read_control(struct msghdr *message, struct shm *shm)
{
    int fds[sizeof(union control) / sizeof(int)]; /* more cannot have been taken */
    size_t count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t bytes = c->cmsg_len - CMSG_LEN(0);
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS && bytes == sizeof(shm->far))
            memcpy(&shm->far, CMSG_DATA(c), bytes);
        if (c->cmsg_type == SCM_RIGHTS) {
            memcpy(fds, CMSG_DATA(c), bytes);
            count = bytes / sizeof(int);
        }
    }
    if (count == FDS) {
        shm->memory = fds[0];
        shm->far_bell = fds[1];
        shm->bell = fds[2];
        return true;
    }
    while (count > 0)
        close(fds[--count]);
    return false;
}

static ssize_t recv_waiting(int socket, struct msghdr *message, uint64_t deadline)
{
    for (;;) {
        ssize_t n = recvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n >= 0)
            return n;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return -errno;
        int rc = wait_fd(socket, POLLIN, deadline);
        if (rc < 0)
            return rc;
    }
}

static int receive_hello(struct shm *shm, uint64_t deadline, struct hello *hello)
{
    union control control = {{0}};
    struct iovec iov = {hello, sizeof(*hello)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recv_waiting(shm->socket, &message, deadline);
    if (n <= 0)
        return n == 0 ? -ECONNRESET : (int)n;
    bool cut = message.msg_flags & MSG_CTRUNC;
    if (!read_control(&message, shm))
        return cut ? -EMFILE : -EPROTO; /* cut short: no room for descriptors in this process */
    bool right = n == sizeof(*hello) && hello->magic == MAGIC && hello->version == VERSION;
    return right ? 0 : -EPROTO;
}

static int join(struct shm *shm, uint64_t deadline)
{
    int on = 1;
    struct hello hello;
    socklen_t len = sizeof(shm->far);
    if (setsockopt(shm->socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
        getsockopt(shm->socket, SOL_SOCKET, SO_PEERCRED, &shm->far, &len) < 0)
        return -errno;
    int rc = receive_hello(shm, deadline, &hello);
    if (rc == 0)
        rc = shm_memory_check(shm->memory, hello.bytes);
    if (rc == 0)
        rc = shm_map(shm->memory, hello.bytes, &shm->map);
    if (rc < 0)
        return rc;
    close_one(shm->memory);
    shm->memory = -1;
    use_rings(shm, 0);
    rc = shm_watch_bell(shm);
    if (rc == 0)
        rc = shm_watch_life(shm);
    if (rc == 0)
        shm_ring_self(shm); /* for what came before there was anybody to ring for */
    /* Something else than an eventfd cannot be watched that way. */
    return rc == -EPERM ? -EPROTO : rc;
}

int shm_join(int socket, uint64_t deadline, struct shm **out)
{
    struct shm *shm = shm_alloc();
    if (!shm) {
        close(socket);
        return -ENOMEM;
    }
    shm->socket = socket;
    int rc = join(shm, deadline);
    if (rc < 0)
        shm_close(shm);
    else
        *out = shm;
    return rc;
}
