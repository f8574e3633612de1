/* Reads a whole spool and tells what is wrong with it, where. */
#include "stream/spool_folder.h"
#include "stream/spool_position.h"
#include "stream/spool_segment.h"

#include <weir/spool.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct check {
    int folder;
    const struct weir_spool_visitor *visitor;
    struct weir_spool_sum sum;
    bool any; /* sum.next is what the next segment should follow */
};

static void tell(struct check *c, const struct weir_spool_trouble *trouble)
{
    if (!trouble->unfinished)
        c->sum.damages++;
    if (c->visitor->trouble)
        c->visitor->trouble(c->visitor->arg, trouble);
}

static void damage(struct check *c, uint64_t segment, uint64_t offset, uint64_t bytes,
                   const char *what)
{
    const struct weir_spool_trouble trouble = {
        .segment = segment, .offset = offset, .bytes = bytes, .what = what};
    tell(c, &trouble);
}

/* What lies behind the last whole frame. Only the last segment may end within a frame. */
static void check_rest(struct check *c, int what, const struct spool_head *head,
                       const struct spool_seen *rest, bool last)
{
    const struct weir_spool_trouble trouble = {
        .segment = head->first,
        .offset = rest->offset,
        .bytes = rest->next - rest->offset,
        .unfinished = last && what == SPOOL_TORN,
        .what = last && what == SPOOL_TORN ? "an unfinished message, which the next writer cuts off"
                                           : "no whole message to the end of the file",
    };
    if (what == SPOOL_END)
        return;
    tell(c, &trouble);
    c->any = false;
}

/* From head to end; counts messages into `sum` and leaves the number after the last one. */
static int check_frames(struct check *c, int fd, const struct spool_head *head, bool last)
{
    struct spool_window window;
    uint64_t offset = SPOOL_HEADS_BYTES, number = head->first;
    int what = SPOOL_FRAME;
    spool_window_init(&window, fd);
    while (what == SPOOL_FRAME || what == SPOOL_DAMAGE) {
        struct spool_seen seen;
        what = spool_look(&window, head, offset, number, &seen);
        if (what == SPOOL_FRAME) {
            c->sum.messages++;
            c->sum.bytes += seen.len;
            number = seen.number + 1;
        } else if (what == SPOOL_DAMAGE) {
            damage(c, head->first, offset, seen.next - offset, "a damaged message");
            number = seen.number;
        } else if (what > 0 || what == SPOOL_END) {
            check_rest(c, what, head, &seen, last);
        }
        offset = seen.next;
    }
    spool_window_done(&window);
    c->sum.next = number;
    return what < 0 ? what : 0;
}

static int check_open(struct check *c, int fd, uint64_t first, bool last)
{
    struct weir_spool_segment segment = {.first = first};
    struct spool_head head;
    struct stat st;
    bool spoilt;
    uint64_t before = c->sum.messages;
    int rc = spool_segment_head(fd, first, &head, &spoilt);
    if (rc < 0 && rc != -EBADMSG)
        return rc;
    if (rc < 0 || spoilt)
        damage(c, first, 0, SPOOL_HEADS_BYTES,
               rc < 0 ? "the head of the file is damaged: nothing in it can be read"
                      : "one of two copies of the head of the file is damaged");
    if (rc == 0 && c->any && head.follows != c->sum.next)
        damage(c, first, 0, 0, "messages are missing before this file");
    c->any = rc == 0;
    if (rc == 0)
        rc = check_frames(c, fd, &head, last);
    if (rc < 0 && rc != -EBADMSG)
        return rc;
    segment.messages = c->sum.messages - before;
    segment.bytes = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    c->sum.segments++;
    if (c->visitor->segment)
        c->visitor->segment(c->visitor->arg, &segment);
    return 0;
}

static int check_segment(struct check *c, uint64_t first, bool last)
{
    int fd = spool_segment_open(c->folder, first, O_RDONLY);
    if (fd == -ENOENT) {
        c->any = false; /* removed just now */
        return 0;
    }
    if (fd < 0)
        return fd;
    int rc = check_open(c, fd, first, last);
    close(fd);
    return rc;
}

static int check_reader(void *arg, const char *name, int fd)
{
    struct check *c = arg;
    struct spool_position position = {0};
    int rc = spool_position_read(fd, &position);
    if (rc <= 0 && rc != -EBADMSG)
        return rc;
    const struct weir_spool_place place = {
        .name = name, .number = position.place.number, .damaged = rc < 0};
    c->sum.damages += place.damaged;
    if (c->visitor->reader)
        c->visitor->reader(c->visitor->arg, &place);
    return 0;
}

static int check_all(struct check *c)
{
    struct spool_list list;
    int rc = spool_list(c->folder, &list);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < list.count && rc == 0; i++)
        rc = check_segment(c, list.at[i], i + 1 == list.count);
    spool_list_free(&list);
    return rc == 0 ? spool_readers(c->folder, check_reader, c) : rc;
}

WEIR_API int weir_spool_check(const char *folder, const struct weir_spool_visitor *visitor,
                              struct weir_spool_sum *out)
{
    static const struct weir_spool_visitor silent = {0};
    struct check c = {.visitor = visitor ? visitor : &silent};
    c.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c.folder < 0)
        return -errno;
    int rc = check_all(&c);
    close(c.folder);
    if (rc == 0)
        *out = c.sum;
    return rc;
}
