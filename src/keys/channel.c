/* The asking side: ways to the process that keeps keys, and the set that all processes inherit. */
#include "keys/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* All sets of this program, for the fork handlers. */
static struct keys *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t handlers = PTHREAD_ONCE_INIT;

uint64_t keys_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- forks: a child has the set, but none of its parent's ways --- */

static void before_fork(void)
{
    pthread_mutex_lock(&all_lock);
    for (struct keys *keys = all; keys; keys = keys->next)
        pthread_mutex_lock(&keys->lock);
}

static void after_fork(void)
{
    for (struct keys *keys = all; keys; keys = keys->next)
        pthread_mutex_unlock(&keys->lock);
    pthread_mutex_unlock(&all_lock);
}

static void in_child(void)
{
    for (struct keys *keys = all; keys; keys = keys->next) {
        while (keys->idle_count > 0)
            close(keys->idle[--keys->idle_count]);
        keys->asked = false;
    }
    after_fork();
}

static void set_handlers(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child);
}

/* --- ways --- */

static int wait_for(int fd, short events, uint64_t until_ms)
{
    struct pollfd wait = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now = keys_now_ms();
        int n = now < until_ms ? poll(&wait, 1, (int)(until_ms - now)) : 0;
        if (n > 0)
            return 0;
        if (n == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

/* Hands the far end in at the door; it waits there while nobody is inside. */
static int hand_in(const struct keys *keys, int fd, uint64_t until_ms)
{
    char byte = 0;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    for (;;) {
        if (sendmsg(keys->door.outside, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
            return 0;
        int error = errno;
        if (error != EAGAIN && error != ETOOMANYREFS && error != EINTR)
            return -error;
        int rc = wait_for(keys->door.outside, POLLOUT, until_ms);
        if (rc < 0)
            return rc;
        if (error ==
            ETOOMANYREFS) /* too many ways wait at doors; the socket has room all the same */
            (void)poll(NULL, 0, 1);
        if (keys_now_ms() >= until_ms)
            return -ETIMEDOUT;
    }
}

/* Who asks does not answer: it must not be able to take what others hand in. */
static void leave_inside(struct keys *keys)
{
    pthread_mutex_lock(&keys->lock);
    if (keys->door.inside >= 0)
        close(keys->door.inside);
    keys->door.inside = -1;
    pthread_mutex_unlock(&keys->lock);
}

static int open_way(struct keys *keys, uint64_t until_ms)
{
    int ends[2];
    leave_inside(keys);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    int rc = hand_in(keys, ends[1], until_ms);
    close(ends[1]);
    if (rc < 0)
        close(ends[0]);
    return rc < 0 ? rc : ends[0];
}

static int take_idle(struct keys *keys)
{
    pthread_mutex_lock(&keys->lock);
    int fd = keys->idle_count > 0 ? keys->idle[--keys->idle_count] : -1;
    pthread_mutex_unlock(&keys->lock);
    return fd;
}

/* A process that asks once, for the one connection it has, keeps no way open as long as that lasts. */
static void give_back(struct keys *keys, int fd)
{
    pthread_mutex_lock(&keys->lock);
    bool keep = keys->asked && keys->idle_count < LIMIT_KEYS_IDLE;
    if (keep)
        keys->idle[keys->idle_count++] = fd;
    keys->asked = true;
    pthread_mutex_unlock(&keys->lock);
    if (!keep)
        close(fd);
}

/* 0; -EPIPE: the way is cut; -errno. */
static int ask_on(int fd, const struct keys_request *request, struct keys_reply *reply,
                  uint64_t until_ms)
{
    size_t len = offsetof(struct keys_request, text) + request->len;
    if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        return -EPIPE;
    for (;;) {
        int rc = wait_for(fd, POLLIN, until_ms);
        if (rc < 0)
            return rc;
        ssize_t n = recv(fd, reply, sizeof(*reply), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < (ssize_t)offsetof(struct keys_reply, signature))
            return -EPIPE;
        if (reply->number != request->number)
            return -EPROTO;
        size_t signature = (size_t)n - offsetof(struct keys_reply, signature);
        return reply->rc > (int32_t)signature && request->what == KEYS_SIGN ? -EPROTO : 0;
    }
}

int keys_ask(struct keys *keys, struct keys_request *request, struct keys_reply *reply)
{
    uint64_t until_ms = keys_now_ms() + LIMIT_KEYS_MS;
    int rc = -EPIPE;
    request->number = atomic_fetch_add(&keys->number, 1);
    /* Ways that were idle may all have been cut when the process died: they do not count. */
    for (unsigned tries = 0; rc == -EPIPE && tries < LIMIT_KEYS_TRIES;) {
        int fd = take_idle(keys);
        bool idle = fd >= 0;
        if (!idle)
            fd = open_way(keys, until_ms);
        if (fd < 0)
            return fd;
        tries += !idle;
        rc = ask_on(fd, request, reply, until_ms);
        if (rc == 0)
            give_back(keys, fd);
        else
            close(fd);
    }
    return rc < 0 ? rc : reply->rc;
}

int keys_have(struct keys *keys, EVP_PKEY *public)
{
    struct keys_request request = {.what = KEYS_HAVE};
    struct keys_reply reply;
    return keys_id(public, request.id) ? keys_ask(keys, &request, &reply) : -ENOMEM;
}

/* --- the set --- */

static int copy_names(struct keys *keys, const char *const *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        keys->files[i].name = strdup(files[i]);
        if (!keys->files[i].name)
            return -ENOMEM;
        keys->count++;
    }
    return 0;
}

int keys_new(const char *const *files, size_t count, struct keys **out)
{
    int ends[2];
    if (count > LIMIT_KEYS)
        return -E2BIG;
    struct keys *keys = calloc(1, sizeof(*keys));
    if (!keys)
        return -ENOMEM;
    keys->door = (struct keys_door){-1, -1};
    pthread_mutex_init(&keys->lock, NULL);
    pthread_mutex_init(&keys->store_lock, NULL);
    int rc = copy_names(keys, files, count);
    if (rc == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        rc = -errno;
    else if (rc == 0)
        keys->door = (struct keys_door){.inside = ends[0], .outside = ends[1]};
    keys->library = rc == 0 ? keys_provider(&keys->provider) : NULL;
    if (rc == 0 && !keys->library)
        rc = -ENOMEM;
    pthread_once(&handlers, set_handlers);
    pthread_mutex_lock(&all_lock);
    keys->next = all;
    all = keys;
    pthread_mutex_unlock(&all_lock);
    if (rc < 0) {
        keys_free(keys);
        return rc;
    }
    *out = keys;
    return 0;
}

static void forget(struct keys *keys)
{
    pthread_mutex_lock(&all_lock);
    struct keys **at = &all;
    while (*at && *at != keys)
        at = &(*at)->next;
    if (*at)
        *at = keys->next;
    pthread_mutex_unlock(&all_lock);
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    forget(keys);
    while (keys->idle_count > 0)
        close(keys->idle[--keys->idle_count]);
    leave_inside(keys);
    if (keys->door.outside >= 0)
        close(keys->door.outside);
    for (size_t i = 0; i < keys->count; i++)
        free(keys->files[i].name);
    if (keys->provider)
        (void)OSSL_PROVIDER_unload(keys->provider);
    OSSL_LIB_CTX_free(keys->library);
    pthread_mutex_destroy(&keys->lock);
    pthread_mutex_destroy(&keys->store_lock);
    free(keys);
}
