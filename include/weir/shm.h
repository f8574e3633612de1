/*
 * weir/shm.h: what shared memory streams (shm:PATH, weir-streams(7)) can do beyond weir_read() and weir_write():
 * messages that are made and looked at where they lie, without a copy.
 *
 * The peer can change bytes that were peeked at any time, whatever it is: copy what is to be checked before it is used, or peek
 * only where the peer is trusted. weir_read() copies. Each call returns -EOPNOTSUPP on a stream of another kind.
 */
#pragma once

#include "stream.h"

/* Two connected ends in this process, for fork(2): each process closes the end it does not use. `bytes` is the size of each
 * direction, rounded up to a power of two, 0: the default (256 KiB); more than 64 MiB is -EINVAL. The caller closes both. */
WEIR_API WEIR_CHECKED int weir_shm_pair(size_t bytes, struct weir_stream *out_ends[2]);
/* Bytes that each direction holds; 0: not such a stream. The listener chooses it: "shm:/run/x?size=1M". */
WEIR_API size_t weir_shm_size(const struct weir_stream *);

/* Room for at least `len` bytes in one piece at *out_at; waits for it as weir_write() does. Returns how much there is.
 * -EMSGSIZE: more than half of weir_shm_size(); -EPIPE, -ETIMEDOUT, -EPROTO: the peer has spoiled the ring. */
WEIR_API WEIR_CHECKED ssize_t weir_shm_reserve(struct weir_stream *, size_t len, void **out_at);
/* Sends the first `len` bytes of what was reserved. 0; -EINVAL: more than there was room; -EPIPE. */
WEIR_API WEIR_CHECKED int weir_shm_commit(struct weir_stream *, size_t len);
/* At least `len` bytes in one piece at *out_at, which stay there until they are consumed; waits for them as weir_read() does.
 * Returns how many there are: fewer than `len` only when no more will come, 0 at end of file. -EMSGSIZE: as above. */
WEIR_API WEIR_CHECKED ssize_t weir_shm_peek(struct weir_stream *, size_t len, const void **out_at);
/* Gives back the first `len` bytes of what was peeked. 0; -EINVAL: more than there were. */
WEIR_API WEIR_CHECKED int weir_shm_consume(struct weir_stream *, size_t len);
