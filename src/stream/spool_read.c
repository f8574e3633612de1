/* Reading a spool: from a position that lasts, waiting for more, and past damage if asked. */
#include "stream/spool_folder.h"
#include "stream/spool_reader.h"
#include "stream/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int give(struct weir_spool_reader *r, const struct spool_seen *seen,
                struct weir_spool_message *out)
{
    *out = (struct weir_spool_message){
        .bytes = seen->bytes,
        .len = seen->len,
        .number = seen->number,
        .missed = r->missed + (seen->number - r->place.number),
    };
    r->missed = 0;
    r->place.offset = seen->next;
    r->place.number = seen->number + 1;
    return 1;
}

static int skip(struct weir_spool_reader *r, const struct spool_seen *seen)
{
    int rc = spool_damaged(r, seen->offset, seen->next, "a damaged message");
    if (rc < 0)
        return rc;
    r->place.offset = seen->next; /* the numbers tell what was missed */
    return 1;
}

/* Bytes at the very end are for the next writer to cut. */
static int end(struct weir_spool_reader *r, int what, const struct spool_seen *seen)
{
    int rc = spool_move(r);
    if (rc == 0 && what != SPOOL_END)
        r->trouble = (struct weir_spool_trouble){
            .segment = r->place.segment,
            .offset = seen->offset,
            .bytes = seen->next - seen->offset,
            .unfinished = true,
            .what = "no whole message (yet)",
        };
    return rc;
}

/* 1: a message; 0: none yet; -errno. Each round goes forward. */
static int step(struct weir_spool_reader *r, struct weir_spool_message *out)
{
    for (int rc = 1; rc > 0;) {
        struct spool_seen seen;
        int what = r->fd >= 0 ? 1 : spool_settle(r);
        if (what < 0 && what != -ENOENT)
            return what;
        if (what <= 0) {
            rc = spool_move(r);
            if (rc <= 0)
                return rc;
            continue;
        }
        what = spool_look(&r->window, &r->head, r->place.offset, r->place.number, &seen);
        if (what < 0)
            return what;
        if (what == SPOOL_FRAME)
            return give(r, &seen, out);
        rc = what == SPOOL_DAMAGE ? skip(r, &seen) : end(r, what, &seen);
        if (rc <= 0)
            return rc;
    }
    return 0;
}

/* As step(), with the watch on where that ends: what came before it was set is seen by this look. */
static int step_watched(struct weir_spool_reader *r, struct weir_spool_message *out)
{
    int rc;
    do {
        spool_watch_set(&r->watch, r->folder, r->fd >= 0, r->place.segment);
        if (spool_watch_drain(&r->watch))
            r->listed_at = 0; /* the name need not be the expected one */
        rc = step(r, out);
    } while (rc == 0 && !spool_watch_is(&r->watch, r->fd >= 0, r->place.segment));
    return rc;
}

WEIR_API int weir_spool_next(struct weir_spool_reader *r, int timeout_ms,
                             struct weir_spool_message *out)
{
    uint64_t deadline = deadline_in(timeout_ms);
    for (;;) {
        int rc = step(r, out);
        if (rc != 0 || (timeout_ms == 0 && !spool_watch_on(&r->watch)))
            return rc;
        rc = step_watched(r, out);
        if (rc != 0)
            return rc;
        rc = spool_watch_wait(&r->watch, deadline);
        if (rc < 0)
            return rc == -ETIMEDOUT ? 0 : rc;
    }
}

WEIR_API int weir_spool_commit(struct weir_spool_reader *r)
{
    const struct spool_place *last = &r->position.place, *now = &r->place;
    if (r->position_fd < 0)
        return -EINVAL;
    if (last->segment == now->segment && last->offset == now->offset && last->number == now->number)
        return 0;
    return spool_position_write(r->position_fd, &r->position, now, r->durable);
}

WEIR_API int weir_spool_reader_fd(struct weir_spool_reader *r)
{
    spool_watch_set(&r->watch, r->folder, r->fd >= 0, r->place.segment);
    return r->watch.fd >= 0 ? r->watch.fd : -1;
}

WEIR_API void weir_spool_reader_trouble(struct weir_spool_reader *r, struct weir_spool_trouble *out)
{
    *out = r->trouble;
    r->trouble = (struct weir_spool_trouble){0};
}

/* Behind the last whole message of the last segment. */
static int place_end(struct weir_spool_reader *r, uint64_t first)
{
    struct spool_seen rest;
    r->place = (struct spool_place){.segment = first, .number = first};
    int rc = spool_settle(r);
    if (rc <= 0)
        return rc == -EBADMSG || rc == -ENOENT ? 0 : rc; /* reading will say so */
    rc = spool_find_end(&r->window, &r->head, &r->place, &rest);
    return rc < 0 ? rc : 0;
}

static int place_first(struct weir_spool_reader *r, enum weir_spool_from from)
{
    struct spool_list list;
    int rc = spool_list(r->folder, &list);
    if (rc < 0)
        return rc;
    if (list.count > 0 && from == WEIR_SPOOL_END)
        rc = place_end(r, list.at[list.count - 1]);
    else if (list.count > 0)
        r->place = (struct spool_place){.segment = list.at[0], .number = list.at[0]};
    spool_list_free(&list);
    return rc;
}

/* A new reader is known from now on: nothing behind its place is removed. */
static int take_place(struct weir_spool_reader *r, const struct weir_spool_reader_options *o)
{
    if (!o->name)
        return place_first(r, o->from);
    r->position_fd = spool_position_open(r->folder, o->name);
    if (r->position_fd < 0)
        return r->position_fd;
    int rc = spool_position_read(r->position_fd, &r->position);
    r->place = r->position.place;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = place_first(r, o->from);
    if (rc == 0)
        rc = spool_position_write(r->position_fd, &r->position, &r->place, r->durable);
    if (rc == 0 && r->durable && fsync(r->folder) < 0)
        rc = -errno;
    return rc;
}

static int reader_open(struct weir_spool_reader *r, const char *folder,
                       const struct weir_spool_reader_options *o)
{
    r->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->folder < 0)
        return -errno;
    r->skip = o->skip_corrupt;
    r->durable = !o->lazy_commit;
    return take_place(r, o);
}

WEIR_API int weir_spool_reader_open(const char *folder,
                                    const struct weir_spool_reader_options *options,
                                    struct weir_spool_reader **out)
{
    static const struct weir_spool_reader_options plain = {0};
    struct weir_spool_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->folder = r->fd = r->position_fd = -1;
    spool_window_init(&r->window, -1);
    spool_watch_init(&r->watch);
    int rc = reader_open(r, folder, options ? options : &plain);
    if (rc < 0) {
        weir_spool_reader_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

WEIR_API void weir_spool_reader_close(struct weir_spool_reader *r)
{
    if (!r)
        return;
    int fds[] = {r->fd, r->position_fd, r->folder};
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    spool_window_done(&r->window);
    spool_watch_done(&r->watch);
    free(r);
}
