/* Beginning segments and removing them: by size and age, and never before all readers with a name are past, unless asked. */
#include "stream/spool_folder.h"
#include "stream/spool_position.h"
#include "stream/spool_writer.h"
#include "stream/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * (int64_t)WEIR_NS_PER_S + ts.tv_nsec;
}

static bool is_old(const struct weir_spool_writer *w, int64_t ns)
{
    int64_t age = wall_ns() - ns;
    return w->options.keep_s > 0 && age > 0 && (uint64_t)age / WEIR_NS_PER_S >= w->options.keep_s;
}

bool spool_outlived(const struct weir_spool_writer *w)
{
    return w->end > SPOOL_HEADS_BYTES && is_old(w, w->head.begun_ns);
}

struct numbers {
    uint64_t least, most;
};

/* A position that cannot be read may be anywhere: it holds everything, and raises nothing. */
static int see_number(void *arg, const char *name, int fd)
{
    struct numbers *numbers = arg;
    struct spool_position position = {0};
    (void)name;
    int rc = spool_position_read(fd, &position);
    if (rc < 0 && rc != -EBADMSG)
        return rc;
    uint64_t number = rc > 0 ? position.place.number : 0;
    numbers->least = number < numbers->least ? number : numbers->least;
    numbers->most = number > numbers->most ? number : numbers->most;
    return 0;
}

int spool_readers_most(int folder, uint64_t *out)
{
    struct numbers numbers = {.least = UINT64_MAX};
    int rc = spool_readers(folder, see_number, &numbers);
    if (rc == 0)
        *out = numbers.most;
    return rc;
}

static int segment_stat(const struct weir_spool_writer *w, uint64_t first, struct stat *out)
{
    char name[SPOOL_NAME_BYTES];
    return fstatat(w->folder, spool_segment_name(first, name), out, AT_SYMLINK_NOFOLLOW) < 0
               ? -errno
               : 0;
}

static uint64_t total_bytes(const struct weir_spool_writer *w, const struct spool_list *list)
{
    struct stat st;
    uint64_t total = 0;
    for (size_t i = 0; i < list->count; i++)
        if (segment_stat(w, list->at[i], &st) == 0)
            total += (uint64_t)st.st_size;
    return total;
}

/* From the oldest on, up to the first that is to stay: what is left has no holes. */
static int trim_list(struct weir_spool_writer *w, const struct spool_list *list, uint64_t least)
{
    const struct weir_spool_options *o = &w->options;
    uint64_t total = o->keep_bytes > 0 ? total_bytes(w, list) : 0;
    for (size_t i = 0; i + 1 < list->count && list->at[i] != w->head.first; i++) {
        struct stat st;
        char name[SPOOL_NAME_BYTES];
        int rc = segment_stat(w, list->at[i], &st);
        if (rc < 0)
            return rc;
        int64_t written = st.st_mtim.tv_sec * (int64_t)WEIR_NS_PER_S + st.st_mtim.tv_nsec;
        bool unwanted = (o->keep_bytes > 0 && total > o->keep_bytes) || is_old(w, written);
        if (!unwanted || (!o->drop_unread && least < list->at[i + 1]))
            return 0;
        if (unlinkat(w->folder, spool_segment_name(list->at[i], name), 0) < 0)
            return -errno;
        total -= (uint64_t)st.st_size < total ? (uint64_t)st.st_size : total;
    }
    return 0;
}

int spool_trim(struct weir_spool_writer *w)
{
    struct numbers numbers = {.least = UINT64_MAX};
    struct spool_list list;
    if (w->options.keep_s > 0)
        w->trim_at = deadline_in(LIMIT_SPOOL_TRIM_MS);
    if (w->options.keep_s == 0 && w->options.keep_bytes == 0)
        return 0;
    int rc = spool_list(w->folder, &list);
    if (rc < 0)
        return rc;
    if (!w->options.drop_unread)
        rc = spool_readers(w->folder, see_number, &numbers);
    if (rc == 0)
        rc = trim_list(w, &list, numbers.least);
    spool_list_free(&list);
    return rc;
}

int spool_begin(struct weir_spool_writer *w, uint64_t first)
{
    struct spool_head head = {.first = first, .follows = w->number, .begun_ns = wall_ns()};
    if (getrandom(&head.salt, sizeof(head.salt), 0) < 0)
        return -errno;
    int fd = spool_segment_create(w->folder, &head, w->options.sync_ms >= 0);
    if (fd == -EIO)
        w->broken = fd; /* the file may be there under its name: it must not be made again */
    if (fd < 0)
        return fd;
    if (w->fd >= 0)
        close(w->fd);
    w->fd = fd;
    w->head = head;
    w->end = SPOOL_HEADS_BYTES;
    w->number = first;
    return 0;
}
