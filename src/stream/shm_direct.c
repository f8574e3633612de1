/* weir/shm.h: messages that are made and looked at in the ring itself. */
#include "stream/shm.h"

#include <weir/shm.h>

#include <errno.h>

static int check(const struct weir_stream *s, uint8_t kind, size_t len)
{
    if (kind != FD_SHM)
        return kind == FD_NONE ? -EBADF : -EOPNOTSUPP;
    /* Both sides may wait for this much at once. Were it more than half, each could wait for the other. */
    return len > s->shm->map.bytes / 2 ? -EMSGSIZE : 0;
}

WEIR_API size_t weir_shm_size(const struct weir_stream *s)
{
    return s->shm ? s->shm->map.bytes : 0;
}

WEIR_API ssize_t weir_shm_reserve(struct weir_stream *s, size_t len, void **out_at)
{
    int rc = check(s, s->out_kind, len);
    if (rc < 0)
        return rc;
    ssize_t room = shm_await_out(s->shm, len, len, s->timeout_ms);
    if (room >= 0)
        *out_at = ring_writer_at(&s->shm->out);
    return room;
}

WEIR_API int weir_shm_commit(struct weir_stream *s, size_t len)
{
    int rc = check(s, s->out_kind, 0);
    if (rc < 0)
        return rc;
    ssize_t room = ring_room(&s->shm->out, 0);
    if (room < 0 || (size_t)room < len)
        return room < 0 ? (int)room : -EINVAL;
    return shm_publish(s->shm, len);
}

WEIR_API ssize_t weir_shm_peek(struct weir_stream *s, size_t len, const void **out_at)
{
    int rc = check(s, s->in_kind, len);
    if (rc < 0)
        return rc;
    ssize_t used = shm_await_in(s->shm, len, s->timeout_ms);
    if (used >= 0)
        *out_at = ring_reader_at(&s->shm->in);
    return used;
}

WEIR_API int weir_shm_consume(struct weir_stream *s, size_t len)
{
    int rc = check(s, s->in_kind, 0);
    if (rc < 0)
        return rc;
    ssize_t used = ring_used(&s->shm->in, 0);
    if (used < 0 || (size_t)used < len)
        return used < 0 ? (int)used : -EINVAL;
    shm_consume(s->shm, len);
    return 0;
}
