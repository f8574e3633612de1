/* Opening a spool for writing: one writer at a time, and what a crash left of an unfinished message is cut. */
#include "stream/spool_folder.h"
#include "stream/spool_segment.h"
#include "stream/spool_writer.h"
#include "stream/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int cut_tail(struct weir_spool_writer *w, const struct spool_seen *rest)
{
    if (rest->next <= w->end)
        return 0;
    w->cut = (struct weir_spool_trouble){
        .segment = w->head.first,
        .offset = w->end,
        .bytes = rest->next - w->end,
        .unfinished = true,
        .what = "an unfinished message was cut off",
    };
    return ftruncate(w->fd, (off_t)w->end) < 0 ? -errno : 0;
}

/* Goes on in the last segment. Damage before its end stays, for readers to report. */
static int take_up(struct weir_spool_writer *w)
{
    struct spool_window window;
    struct spool_place end;
    struct spool_seen rest;
    spool_window_init(&window, w->fd);
    int rc = spool_find_end(&window, &w->head, &end, &rest);
    spool_window_done(&window);
    if (rc < 0)
        return rc;
    w->end = end.offset;
    w->number = end.number;
    return cut_tail(w, &rest);
}

/*
 * The last segment's head cannot be read. With no room for a message it is what a power failure left, and goes. Else it
 * stays for the check to report, and the next number is one that it cannot have held.
 */
static int pass_by(struct weir_spool_writer *w, uint64_t first, bool *out_again)
{
    char name[SPOOL_NAME_BYTES];
    struct stat st;
    if (fstat(w->fd, &st) < 0)
        return -errno;
    close(w->fd);
    w->fd = -1;
    *out_again = st.st_size <= SPOOL_HEADS_BYTES;
    w->number = *out_again ? first : first + (uint64_t)st.st_size / SPOOL_FRAME_BYTES + 1;
    if (*out_again && unlinkat(w->folder, spool_segment_name(first, name), 0) < 0)
        return -errno;
    return 0;
}

static int open_last(struct weir_spool_writer *w, bool *out_again)
{
    struct spool_list list;
    bool spoilt;
    *out_again = false;
    int rc = spool_list(w->folder, &list);
    if (rc < 0 || list.count == 0)
        return rc;
    uint64_t first = list.at[list.count - 1];
    spool_list_free(&list);
    w->fd = spool_segment_open(w->folder, first, O_RDWR);
    if (w->fd < 0)
        return w->fd;
    rc = spool_segment_head(w->fd, first, &w->head, &spoilt);
    if (rc == -EBADMSG)
        return pass_by(w, first, out_again);
    return rc < 0 ? rc : take_up(w);
}

/*
 * A reader may be further than the spool: a power failure took messages that it had seen before they were durable. Their numbers
 * are not given again, or it would pass over those that get them.
 */
static int begin_ahead(struct weir_spool_writer *w, uint64_t least)
{
    uint64_t most;
    int rc = spool_readers_most(w->folder, &most);
    if (rc < 0)
        return rc;
    uint64_t first = most > w->number ? most : w->number;
    first = least > first ? least : first;
    if (w->fd < 0 || first > w->number)
        return spool_begin(w, first);
    return 0;
}

/* What a writer before this one wrote and had no time to sync. */
static int sync_rest(const struct weir_spool_writer *w)
{
    if (w->options.sync_ms < 0)
        return 0;
    return fdatasync(w->fd) < 0 || fsync(w->folder) < 0 ? -errno : 0;
}

static int recover(struct weir_spool_writer *w)
{
    uint64_t least = 0;
    bool again;
    int rc;
    do {
        w->number = 0;
        rc = open_last(w, &again);
        least = again && w->number > least ? w->number : least;
    } while (rc == 0 && again);
    if (rc == 0)
        rc = begin_ahead(w, least);
    if (rc == 0)
        rc = sync_rest(w);
    if (rc == 0)
        rc = spool_trim(w);
    w->kept = w->number;
    return rc;
}

static int folder_open(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int options_take(struct weir_spool_options *to, const struct weir_spool_options *from)
{
    *to = from ? *from : (struct weir_spool_options){0};
    if (to->segment_bytes == 0)
        to->segment_bytes = LIMIT_SPOOL_SEGMENT_BYTES;
    if (to->sync_ms < WEIR_SPOOL_NEVER || to->segment_bytes < LIMIT_SPOOL_SEGMENT_MIN_BYTES ||
        to->segment_bytes > LIMIT_SPOOL_SEGMENT_MAX_BYTES)
        return -EINVAL;
    return 0;
}

static int writer_open(struct weir_spool_writer *w, const char *folder,
                       const struct weir_spool_options *options)
{
    int rc = options_take(&w->options, options);
    if (rc < 0)
        return rc;
    w->folder = folder_open(folder);
    if (w->folder < 0)
        return w->folder;
    w->lock = spool_lock_writer(w->folder);
    return w->lock < 0 ? w->lock : recover(w);
}

WEIR_API int weir_spool_writer_open(const char *folder, const struct weir_spool_options *options,
                                    struct weir_spool_writer **out)
{
    struct weir_spool_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->folder = w->lock = w->fd = -1;
    int rc = writer_open(w, folder, options);
    if (rc < 0) {
        (void)weir_spool_writer_close(w);
        return rc;
    }
    *out = w;
    return 0;
}

WEIR_API void weir_spool_writer_cut(const struct weir_spool_writer *w,
                                    struct weir_spool_trouble *out)
{
    *out = w->cut;
}
