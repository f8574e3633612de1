#include "stream/spool_watch.h"

#include "stream/spool_folder.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { NONE_YET = -1, CANNOT = -2 };

void spool_watch_init(struct spool_watch *w)
{
    *w = (struct spool_watch){.fd = NONE_YET, .segment = -1};
}

bool spool_watch_on(const struct spool_watch *w)
{
    return w->fd != NONE_YET;
}

/* inotify takes paths only; this one leads to the folder that is open, wherever it was moved. */
static int watch(const struct spool_watch *w, int folder, const char *name, uint32_t mask)
{
    char path[64 + SPOOL_NAME_BYTES];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, name);
    return inotify_add_watch(w->fd, path, mask);
}

static void give_up(struct spool_watch *w)
{
    spool_watch_done(w);
    w->fd = CANNOT;
}

/* A segment that was removed meanwhile is no reason to look more often: another one follows it. */
static void watch_segment(struct spool_watch *w, int folder, bool there, uint64_t first)
{
    char name[SPOOL_NAME_BYTES];
    if (w->segment >= 0 && there && w->first == first)
        return;
    if (w->segment >= 0)
        (void)inotify_rm_watch(w->fd, w->segment);
    w->there = there;
    w->first = first;
    w->segment = there ? watch(w, folder, spool_segment_name(first, name), IN_MODIFY) : -1;
    w->blind = there && w->segment < 0 && errno != ENOENT;
}

/* Later the descriptor is somebody's: it stays, whatever cannot be watched. */
void spool_watch_set(struct spool_watch *w, int folder, bool there, uint64_t first)
{
    if (w->fd == NONE_YET) {
        w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (w->fd < 0 || watch(w, folder, "", IN_MOVED_TO | IN_ONLYDIR) < 0)
            give_up(w);
    }
    if (w->fd >= 0)
        watch_segment(w, folder, there, first);
}

bool spool_watch_is(const struct spool_watch *w, bool there, uint64_t first)
{
    return w->fd < 0 || (w->there == there && (!there || w->first == first));
}

bool spool_watch_drain(struct spool_watch *w)
{
    union {
        struct inotify_event one;
        char bytes[4096];
    } events;
    bool names = false;
    ssize_t n = 1;
    for (int i = 0; i < LIMIT_SPOOL_RETRIES && w->fd >= 0 && n > 0; i++) {
        n = read(w->fd, &events, sizeof(events));
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(events.bytes + at);
            names |= event->mask & (IN_MOVED_TO | IN_Q_OVERFLOW);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return names;
}

int spool_watch_wait(struct spool_watch *w, uint64_t deadline)
{
    int ms = w->fd >= 0 && !w->blind ? LIMIT_SPOOL_LOOK_MS : LIMIT_SPOOL_BLIND_MS;
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    if (deadline_left_ms(deadline) == 0)
        return -ETIMEDOUT;
    int rc = wait_fds(&p, 1, deadline_min(deadline, deadline_in(ms)));
    return rc == -ETIMEDOUT || rc > 0 ? 0 : rc;
}

void spool_watch_done(struct spool_watch *w)
{
    if (w->fd >= 0)
        close(w->fd);
    spool_watch_init(w);
}
