/*
 * cli/lock.h: taking turns with other programs by flock(2).
 */
#pragma once

/* The lock of what `fd` means, for us alone, until the last copy of `fd` is closed. 0; -EWOULDBLOCK: another program has held it for
 * `most_ms`; -errno. */
__attribute__((warn_unused_result)) int lock_wait(int fd, unsigned most_ms);
