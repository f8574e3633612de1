#include "cli/lock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#define PAUSE_MS 20

int lock_wait(int fd, unsigned most_ms)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    for (unsigned ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; ms += PAUSE_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (ms >= most_ms)
            return -EWOULDBLOCK;
        nanosleep(&pause, NULL);
    }
    return 0;
}
