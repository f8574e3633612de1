/*
 * The kernel tells an edge-triggered epoll(7) of a Unix socket that there is room again when the peer has read (unix(7): the bytes count against
 * their sender's buffer until then). A waiting recv(2) is woken by that too, finds nothing, and is halfway back to sleep when the answer comes.
 */
#include "stream/near.h"

#include "stream/fork.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <unistd.h>

static bool is_unix_stream(int fd)
{
    int domain = 0, type = 0;
    socklen_t len = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

static void open_near(struct stream_near *near, const struct weir_stream *s)
{
    struct epoll_event all = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    bool fits = s->in_kind == FD_SOCKET && is_unix_stream(s->in);
    *near = (struct stream_near){.state = NEAR_NEVER};
    int epoll = fits ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (epoll < 0)
        return;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->in, &all) < 0)
        close(epoll);
    else
        *near = (struct stream_near){.state = NEAR_OPEN, .epoll = epoll, .owner = process_self()};
}

void near_done(struct stream_near *near)
{
    if (near->state == NEAR_OPEN)
        close(near->epoll);
    near->state = NEAR_NEW;
}

bool near_ready(struct stream_near *near, const struct weir_stream *s)
{
    if (near->state == NEAR_OPEN && near->owner != process_self())
        near_done(near);
    if (near->state == NEAR_NEW)
        open_near(near, s);
    return near->state == NEAR_OPEN;
}

bool near_may_look(struct near_luck *luck)
{
    return luck->misses < LIMIT_NEAR_MISSES || ++luck->passed % LIMIT_NEAR_PASSED == 0;
}

void near_looked(struct near_luck *luck, bool hit)
{
    if (hit)
        luck->misses = 0;
    else if (luck->misses < LIMIT_NEAR_MISSES)
        luck->misses++;
}

static ssize_t look(struct weir_stream *s, void *buffer, size_t len)
{
    uint64_t end = deadline_now() + LIMIT_NEAR_NS;
    ssize_t n;
    do
        n = stream_try_read(s, buffer, len);
    while (n == -EAGAIN && deadline_now() < end);
    return n;
}

/* Rounded up: a wait must not end before its time. */
static int ms_until(uint64_t now, uint64_t end)
{
    uint64_t ms = end > now ? (end - now - 1) / WEIR_NS_PER_MS + 1 : 0;
    return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

/* Nobody is told again of bytes that a short read has left, so the first thing is a try. One of the looks may be for an edge of before: what was
 * read without waiting is told once more. */
ssize_t near_read(struct stream_near *near, struct weir_stream *s, void *buffer, size_t len,
                  uint64_t left_ns)
{
    uint64_t now = deadline_now(), end = left_ns < UINT64_MAX - now ? now + left_ns : UINT64_MAX;
    ssize_t n = stream_try_read(s, buffer, len);
    if (n != -EAGAIN)
        return n;
    bool may = near_may_look(&near->luck);
    unsigned looks = may ? 2 : 0;
    for (;; now = deadline_now()) {
        struct epoll_event event;
        if (epoll_wait(near->epoll, &event, 1, ms_until(now, end)) <= 0)
            return -EAGAIN;
        bool room = near_is_room(event.events);
        if (room && looks == 0)
            continue;
        n = room ? look(s, buffer, len) : stream_try_read(s, buffer, len);
        if (n != -EAGAIN && may)
            near_looked(&near->luck, room);
        if (n != -EAGAIN)
            return n;
        looks -= room;
    }
}
