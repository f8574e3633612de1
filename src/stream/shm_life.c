/*
 * Waiting for the other end, and noticing its death.
 *
 * A bell is an eventfd that counts down (EFD_SEMAPHORE) from a number nobody lives to see the end of; taking one off is the
 * ring. Taking can be told never to wait, by a flag of the call; adding cannot: a hostile peer could take O_NONBLOCK off the
 * open file that both share, fill the counter, and make us wait for ever. The bell is in the sets as edge-triggered EPOLLOUT:
 * each ring is one edge in either set, and nothing needs to be put back.
 *
 * The socket hangs up when no process has the other end's any more. A copy in some forked child would hide that the process that
 * used it died, so that one is watched as well, by pidfd. A process that takes an end over (a forked child, used by our models)
 * says so by one byte over the socket; the kernel adds who it is.
 */
#include "stream/shm.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RINGS     (1ull << 62)
#define TOOK_OVER 'o'

int shm_bell_new(void)
{
    int bell = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    if (bell < 0)
        return -errno;
    if (eventfd_write(bell, RINGS) == 0)
        return bell;
    int rc = -errno;
    close(bell);
    return rc;
}

/* That it fails can only be the other end's doing: what it does not hear is its loss. */
static void ring(int bell)
{
    uint64_t one;
    struct iovec iov = {&one, sizeof(one)};
    (void)!preadv2(bell, &iov, 1, -1, RWF_NOWAIT);
}

void shm_ring(const struct shm *shm)
{
    ring(shm->far_bell);
}

void shm_ring_self(const struct shm *shm)
{
    ring(shm->bell);
}

static int watch(int set, int fd, uint32_t events, uint32_t tag)
{
    struct epoll_event event = {.events = events, .data.u32 = tag};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int set_new(int bell, int *out)
{
    struct epoll_event first;
    *out = epoll_create1(EPOLL_CLOEXEC);
    if (*out < 0)
        return -errno;
    int rc = watch(*out, bell, EPOLLOUT | EPOLLET, TAG_BELL);
    /* A descriptor that is added tells its state once: no ring yet. */
    (void)epoll_wait(*out, &first, 1, 0);
    return rc;
}

int shm_watch_bell(struct shm *shm)
{
    int rc = set_new(shm->bell, &shm->in_set);
    return rc < 0 ? rc : set_new(shm->bell, &shm->out_set);
}

static int watch_in_both(const struct shm *shm, int fd, uint32_t tag)
{
    int rc = watch(shm->in_set, fd, EPOLLIN | EPOLLRDHUP, tag);
    return rc < 0 ? rc : watch(shm->out_set, fd, EPOLLIN | EPOLLRDHUP, tag);
}

/* Where it cannot be watched (another namespace, no descriptors left), the socket has to do. The one before is taken out by
 * hand: a copy of it in some forked process would keep it in the sets. */
static void watch_owner(struct shm *shm, pid_t pid)
{
    if (shm->far_owner >= 0) {
        epoll_ctl(shm->in_set, EPOLL_CTL_DEL, shm->far_owner, NULL);
        epoll_ctl(shm->out_set, EPOLL_CTL_DEL, shm->far_owner, NULL);
        close(shm->far_owner);
    }
    shm->far_owner = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    shm->far_dead = pid > 0 && shm->far_owner < 0 && errno == ESRCH;
    if (shm->far_owner >= 0)
        (void)!watch_in_both(shm, shm->far_owner, TAG_OWNER);
}

static bool owner_is_dead(const struct shm *shm)
{
    struct pollfd p = {.fd = shm->far_owner, .events = POLLIN};
    return shm->far_dead || (shm->far_owner >= 0 && poll(&p, 1, 0) > 0);
}

/* Who sent it, as the kernel says; descriptors that come along have no room here and are dropped by it. */
static void read_sender(struct msghdr *message, struct ucred *sender)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS &&
        c->cmsg_len == CMSG_LEN(sizeof(*sender)))
        memcpy(sender, CMSG_DATA(c), sizeof(*sender));
}

/* One message. > 0: somebody took over; 0: the end, or a word that is none; -EAGAIN. */
static ssize_t read_news(struct shm *shm, struct ucred *sender)
{
    union {
        char room[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    char bytes[LIMIT_SHM_NEWS];
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    *sender = (struct ucred){0};
    ssize_t n;
    do
        n = recvmsg(shm->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? -EAGAIN : 0;
    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != TOOK_OVER)
            return 0;
    read_sender(&message, sender);
    return n;
}

/*
 * An owner's death is the end, unless another process took over before it died, and that one lives. What an event told is no
 * proof of it: it may be of an owner whose successor the other thread has just found. So the owner itself is asked, and
 * always before the socket is read: a word that had been sent when it died is in there then.
 *
 * The reading and the writing thread may both come here: one is enough, and the sets stay readable until it was done.
 */
static void take_news(struct shm *shm)
{
    struct ucred sender;
    bool dead;
    ssize_t n;
    int words = 0;
    if (atomic_exchange(&shm->news, true))
        return;
    do {
        dead = owner_is_dead(shm);
        n = read_news(shm, &sender);
        if (n > 0)
            watch_owner(shm, sender.pid);
    } while (n > 0 && ++words < LIMIT_SHM_NEWS);
    /* One that cannot be watched, since it is dead already, will not be heard of again. */
    if (n == 0 || (n < 0 ? dead : shm->far_dead))
        atomic_store(&shm->gone, true);
    atomic_store(&shm->news, false);
}

int shm_watch_life(struct shm *shm)
{
    int rc = watch_in_both(shm, shm->socket, TAG_SOCKET);
    if (rc < 0)
        return rc;
    watch_owner(shm, shm->far.pid);
    if (shm->far_dead)
        take_news(shm);
    return 0;
}

static void take_events(struct shm *shm, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 != TAG_BELL) {
            take_news(shm);
            return;
        }
    }
}

int shm_look(struct shm *shm, int set, uint64_t deadline)
{
    struct epoll_event events[TAGS];
    for (;;) {
        int left = deadline ? deadline_left_ms(deadline) : 0;
        int n = epoll_wait(set, events, TAGS, left);
        if (n >= 0)
            take_events(shm, events, n);
        if (n < 0 && errno != EINTR)
            return -errno;
        /* Also when something happened: a peer that keeps on ringing for nothing must not outlast a deadline. */
        if (left == 0)
            return -ETIMEDOUT;
        if (n > 0)
            return 0;
    }
}

void shm_claim(struct shm *shm)
{
    static const char word = TOOK_OVER;
    int pid = (int)getpid();
    if (atomic_load(&shm->owner) != pid && atomic_exchange(&shm->owner, pid) != pid)
        (void)!send(shm->socket, &word, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}
