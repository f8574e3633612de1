#include "stream/wait.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

uint64_t deadline_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * WEIR_NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t deadline_in(int timeout_ms)
{
    if (timeout_ms < 0)
        return DEADLINE_NEVER;
    uint64_t ns = WEIR_NS_PER_MS * (unsigned)timeout_ms;
    return deadline_now() + ns;
}

uint64_t deadline_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int deadline_left_ms(uint64_t deadline)
{
    if (deadline == DEADLINE_NEVER)
        return -1;
    uint64_t now = deadline_now();
    if (now >= deadline)
        return 0;
    uint64_t ms = (deadline - now + WEIR_NS_PER_MS - 1) / WEIR_NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

int wait_fds(struct pollfd *fds, nfds_t count, uint64_t deadline)
{
    for (;;) {
        int left = deadline_left_ms(deadline);
        int ready = poll(fds, count, left);
        if (ready > 0)
            return ready;
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (left == 0)
            return -ETIMEDOUT;
    }
}

int wait_fd(int fd, short events, uint64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    int rc = wait_fds(&p, 1, deadline);
    if (rc < 0)
        return rc;
    return p.revents & POLLNVAL ? -EBADF : 0;
}

int wait_ms(int ms, uint64_t deadline)
{
    if (deadline_left_ms(deadline) == 0)
        return -ETIMEDOUT;
    int rc = wait_fds(NULL, 0, deadline_min(deadline, deadline_in(ms)));
    return rc == -ETIMEDOUT ? 0 : rc;
}
