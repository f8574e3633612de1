/* The way of a reader from segment to segment, while a writer begins new ones and removes old ones. */
#include "stream/spool_folder.h"
#include "stream/spool_reader.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int spool_damaged(struct weir_spool_reader *r, uint64_t offset, uint64_t end, const char *what)
{
    r->trouble = (struct weir_spool_trouble){
        .segment = r->place.segment,
        .offset = offset,
        .bytes = end > offset ? end - offset : 0,
        .what = what,
    };
    return r->skip ? 0 : -EBADMSG;
}

static void enter(struct weir_spool_reader *r, int fd, const struct spool_head *head)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = fd;
    r->window.fd = fd;
    spool_window_forget(&r->window);
    r->head = *head;
    r->listed_at = 0;
    r->place.segment = head->first;
    if (r->place.offset < SPOOL_HEADS_BYTES)
        r->place.offset = SPOOL_HEADS_BYTES;
    if (r->place.number < head->first)
        r->place.number = head->first;
}

/* A descriptor; -ENOENT; -EBADMSG. */
static int open_segment(const struct weir_spool_reader *r, uint64_t first, struct spool_head *out)
{
    bool spoilt;
    int fd = spool_segment_open(r->folder, first, O_RDONLY);
    int rc = fd < 0 ? fd : spool_segment_head(fd, first, out, &spoilt);
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? rc : fd;
}

static const char head_damaged[] = "the head of the file is damaged";

int spool_settle(struct weir_spool_reader *r)
{
    struct spool_head head;
    int fd = open_segment(r, r->place.segment, &head);
    if (fd == -EBADMSG)
        return spool_damaged(r, 0, SPOOL_HEADS_BYTES, head_damaged);
    if (fd < 0)
        return fd;
    enter(r, fd, &head);
    return 1;
}

struct next {
    uint64_t first;
    bool oldest; /* everything before it was removed */
    bool here;   /* the reader's own is in the folder, too */
};

/*
 * 1: there is a segment behind this one. The next one is usually called by the next number. The whole list is looked at once a segment,
 * and once a second while a reader waits in the last one.
 */
static int find_next(struct weir_spool_reader *r, struct next *out)
{
    struct spool_list list;
    char name[SPOOL_NAME_BYTES];
    uint64_t number = r->place.number, now = deadline_now();
    if (r->listed_at > 0 && now - r->listed_at < WEIR_NS_PER_MS * LIMIT_SPOOL_LOOK_MS) {
        *out = (struct next){.first = number};
        return number > r->place.segment &&
               faccessat(r->folder, spool_segment_name(number, name), F_OK, 0) == 0;
    }
    int rc = spool_list(r->folder, &list);
    if (rc < 0)
        return rc;
    rc = spool_list_after(&list, r->place.segment, &out->first);
    out->oldest = rc && list.at[0] == out->first;
    out->here = spool_list_has(&list, r->place.segment);
    spool_list_free(&list);
    r->listed_at = rc ? 0 : now;
    return rc;
}

/* The next segment cannot be read: it becomes the place, so that the one behind it is next. */
static int pass_by(struct weir_spool_reader *r, uint64_t first)
{
    const struct spool_place place = r->place;
    r->place = (struct spool_place){.segment = first, .number = place.number};
    int rc = spool_damaged(r, 0, SPOOL_HEADS_BYTES, head_damaged);
    if (rc < 0) {
        r->place = place;
        return rc;
    }
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->listed_at = 0;
    return 1;
}

/* The oldest are removed first and on purpose: what was not read of them is missed, and no damage. */
static int go_to(struct weir_spool_reader *r, const struct next *next)
{
    struct spool_head head;
    int fd = open_segment(r, next->first, &head);
    if (fd == -EBADMSG)
        return pass_by(r, next->first);
    if (fd < 0) {
        r->listed_at = 0;
        return fd == -ENOENT ? 1 : fd; /* removed just now */
    }
    uint64_t number = r->place.number;
    uint64_t missed = head.follows > number ? head.follows - number : 0;
    bool told = r->skip && r->trouble.what; /* the end of the segment before was damaged */
    if (missed > 0 && !next->oldest && !told &&
        spool_damaged(r, r->place.offset, 0, "messages are missing behind this place") < 0) {
        close(fd);
        return -EBADMSG;
    }
    r->missed += missed;
    r->place = (struct spool_place){.number = head.first};
    enter(r, fd, &head);
    return 1;
}

/* Before the segment is left it is looked at once more: its last message may have come after the last look. */
static int leave(struct weir_spool_reader *r, bool *out_more)
{
    struct spool_seen seen;
    spool_window_forget(&r->window);
    int what = spool_look(&r->window, &r->head, r->place.offset, r->place.number, &seen);
    *out_more = what == SPOOL_FRAME || what == SPOOL_DAMAGE;
    if (what == SPOOL_TORN || what == SPOOL_SPOILT)
        return spool_damaged(r, seen.offset, seen.next, "no whole message to the end of the file");
    return what < 0 ? what : 0;
}

int spool_move(struct weir_spool_reader *r)
{
    struct next next;
    bool more = false;
    int rc = find_next(r, &next);
    if (rc <= 0)
        return rc;
    if (r->fd < 0 && next.here) {
        /* It was not there before the list was made, or it is damaged and to be skipped. */
        rc = spool_settle(r);
        if (rc != 0)
            return rc == -ENOENT ? 1 : rc;
    }
    if (r->fd >= 0)
        rc = leave(r, &more);
    if (rc < 0 || more)
        return rc < 0 ? rc : 1;
    return go_to(r, &next);
}
