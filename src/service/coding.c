#include "service/coding.h"

#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct waiter {
    struct waiter *next;
    struct weir_exchange *x;
};

struct coding_job {
    struct weir_job job;
    struct coding_job *next;
    struct coding_jobs *jobs;   /* borrowed: from the worker, until its driver has ended all jobs */
    struct file_cache *cache;   /* likewise */
    struct weir_driver *driver; /* likewise */
    const struct folder *folder;
    struct coding_key key;
    struct waiter *waiters;
    int from;
    int result;
    size_t path_len;
    char path[];
};

static bool is_for(const struct coding_job *job, const struct entry *entry, enum coding coding)
{
    return job->folder == entry->folder && job->key.coding == coding &&
           stamp_same(&job->key.stamp, &entry->stamp);
}

struct coding_job *coding_find(const struct coding_jobs *jobs, const struct entry *entry,
                               enum coding coding)
{
    struct coding_job *job = jobs->first;
    while (job && !is_for(job, entry, coding))
        job = job->next;
    return job;
}

static void work(struct weir_job *weir_job)
{
    struct coding_job *job = (struct coding_job *)weir_job;
    job->result = coding_store_make(&job->folder->store, &job->key, job->from);
}

static void unlink_job(struct coding_job *job)
{
    struct coding_job **at = &job->jobs->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

/* Not at once again with each request. */
static void note_failure(struct coding_job *job)
{
    struct entry *entry;
    struct weir_bytes path = {job->path, job->path_len};
    if (file_cache_find(job->cache, job->folder, path, job->driver->now, &entry) < 0)
        return;
    entry->later_ns = job->driver->now.mono_ns + LIMIT_CODING_RETRY_MS * WEIR_NS_PER_MS;
    weir_drop(&entry->ref);
}

static void done(struct weir_job *weir_job)
{
    struct coding_job *job = (struct coding_job *)weir_job;
    unlink_job(job);
    close(job->from);
    for (struct waiter *waiter = job->waiters, *next; waiter; waiter = next) {
        struct weir_exchange *x = waiter->x;
        next = waiter->next; /* it lies in the exchange's memory */
        if (!job->job.cancelled)
            job->jobs->resume(x);
        weir_exchange_drop(x);
    }
    if (!job->job.cancelled && job->result < 0)
        note_failure(job); /* only now does the cache know the file that went out instead */
    free(job);
}

struct coding_job *coding_begin(struct coding_jobs *jobs, struct weir_driver *driver,
                                struct file_cache *cache, struct entry *entry, enum coding coding)
{
    struct coding_job *job = malloc(sizeof(*job) + entry->path.len);
    if (!job)
        return NULL;
    *job = (struct coding_job){
        .job = {.work = work, .done = done},
        .jobs = jobs,
        .cache = cache,
        .driver = driver,
        .folder = entry->folder,
        .key = {entry->stamp, coding, entry->folder->level[coding]},
        .path_len = entry->path.len,
    };
    memcpy(job->path, entry->path.at, entry->path.len);
    if (file_cache_source(cache, entry, &job->from) < 0) {
        free(job);
        return NULL;
    }
    if (driver->ops->submit(driver, &job->job) < 0) {
        close(job->from);
        free(job);
        return NULL;
    }
    job->next = jobs->first;
    jobs->first = job;
    return job;
}

int coding_wait(struct coding_job *job, struct weir_exchange *x)
{
    struct waiter *waiter = weir_exchange_alloc(x, sizeof(*waiter));
    if (!waiter)
        return -ENOMEM;
    *waiter = (struct waiter){job->waiters, x};
    job->waiters = waiter;
    weir_exchange_hold(x);
    return 0;
}
