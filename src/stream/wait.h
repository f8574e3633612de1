/*
 * stream/wait.h: deadlines, and the one place of this layer that waits for a descriptor.
 *
 * A deadline is an absolute time of CLOCK_MONOTONIC in nanoseconds, so that an interrupted or repeated wait never
 * starts its time anew.
 */
#pragma once

#include <weir/base.h>

#include <poll.h>

#define DEADLINE_NEVER UINT64_MAX

uint64_t deadline_now(void);
/* timeout_ms < 0: never. */
uint64_t deadline_in(int timeout_ms);
uint64_t deadline_min(uint64_t, uint64_t);
/* For poll(2): milliseconds rounded up, 0 when it has passed, -1 for never. */
int deadline_left_ms(uint64_t deadline);
/* > 0: some are ready; -ETIMEDOUT; -errno. */
int wait_fds(struct pollfd *, nfds_t count, uint64_t deadline) WEIR_CHECKED;
/* 0: ready, or in error, which the next call on it will tell; -ETIMEDOUT; -errno. */
int wait_fd(int fd, short events, uint64_t deadline) WEIR_CHECKED;
/* Sleeps `ms` or until the deadline. -ETIMEDOUT when it has passed. */
int wait_ms(int ms, uint64_t deadline) WEIR_CHECKED;
