/*
 * service/coding.h: files on their way to being coded, for one worker: each is a job for a helper, and requests may wait for it.
 */
#pragma once

#include "service/file_cache.h"

#include <weir/driver.h>
#include <weir/http.h>

struct coding_job;

/* What a worker has under way; zeroed at first. */
struct coding_jobs {
    struct coding_job *first;
    /* A file is coded, or could not be: answer this request now. Called on the driver's thread while the request lives. */
    void (*resume)(struct weir_exchange *);
};

/* Is this file being coded by this worker? */
struct coding_job *coding_find(const struct coding_jobs *, const struct entry *, enum coding);
/* Has it coded, in the store of its folder. NULL: too much is under way, or no memory. The cache is where a failure is noted. */
struct coding_job *coding_begin(struct coding_jobs *, struct weir_driver *, struct file_cache *,
                                struct entry *, enum coding);
/* Has the request wait for it. 0 or -ENOMEM. */
WEIR_CHECKED int coding_wait(struct coding_job *, struct weir_exchange *);
