/* Slow work on a bounded number of helper threads; they start with the first job, so after every fork. */
#include "drive/core.h"
#include "tbl/limits.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOB_STACK (256 * 1024) /* getaddrinfo and crypt need some; a frame of ours is small */

struct job_list {
    struct weir_job *first, *last;
};

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job_list waiting, finished;
    unsigned queued; /* in waiting */
    unsigned idle;   /* helpers that wait for a job */
    unsigned threads;
    bool stop;
    int event;
    pthread_t thread[LIMIT_JOB_THREADS];
};

static void append(struct job_list *list, struct weir_job *job)
{
    job->next = NULL;
    *(list->last ? &list->last->next : &list->first) = job;
    list->last = job;
}

static struct weir_job *take_first(struct job_list *list)
{
    struct weir_job *job = list->first;
    if (!job)
        return NULL;
    list->first = job->next;
    if (!list->first)
        list->last = NULL;
    return job;
}

static void finished(struct jobs *jobs, struct weir_job *job)
{
    bool first = jobs->finished.first == NULL;
    append(&jobs->finished, job);
    uint64_t one = 1;
    if (first)
        (void)!write(jobs->event, &one, sizeof(one));
}

static void *helper(void *arg)
{
    struct jobs *jobs = arg;
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        struct weir_job *job = jobs->stop ? NULL : take_first(&jobs->waiting);
        if (job) {
            jobs->queued--;
            pthread_mutex_unlock(&jobs->lock);
            job->work(job);
            pthread_mutex_lock(&jobs->lock);
            finished(jobs, job);
        } else if (jobs->stop) {
            break;
        } else {
            jobs->idle++;
            pthread_cond_wait(&jobs->more, &jobs->lock);
            jobs->idle--;
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

/* Helpers take no signals: those belong to the supervisor and the main threads. */
static int start_helper(struct jobs *jobs)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, JOB_STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&jobs->thread[jobs->threads], &attr, helper, jobs);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (rc == 0)
        jobs->threads++;
    return -rc;
}

int jobs_new(struct jobs **out)
{
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    if (!jobs)
        return -ENOMEM;
    jobs->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (jobs->event < 0) {
        int error = errno;
        free(jobs);
        return -error;
    }
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->more, NULL);
    *out = jobs;
    return 0;
}

int jobs_fd(const struct jobs *jobs)
{
    return jobs->event;
}

int jobs_submit(struct jobs *jobs, struct weir_job *job)
{
    int rc = 0;
    job->cancelled = false;
    pthread_mutex_lock(&jobs->lock);
    if (jobs->queued >= LIMIT_JOB_QUEUE)
        rc = -EAGAIN;
    if (rc == 0 && jobs->idle <= jobs->queued && jobs->threads < LIMIT_JOB_THREADS) {
        int started = start_helper(jobs);
        rc = jobs->threads == 0 ? started : 0; /* one helper is enough to go on */
    }
    if (rc == 0) {
        append(&jobs->waiting, job);
        jobs->queued++;
        pthread_cond_signal(&jobs->more);
    }
    pthread_mutex_unlock(&jobs->lock);
    return rc;
}

void jobs_collect(struct jobs *jobs)
{
    uint64_t count;
    (void)!read(jobs->event, &count, sizeof(count));
    pthread_mutex_lock(&jobs->lock);
    struct job_list done = jobs->finished;
    jobs->finished = (struct job_list){0};
    pthread_mutex_unlock(&jobs->lock);
    struct weir_job *job;
    while ((job = take_first(&done)))
        job->done(job);
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->stop = true;
    pthread_cond_broadcast(&jobs->more);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->threads; i++)
        pthread_join(jobs->thread[i], NULL);
    struct weir_job *job;
    while ((job = take_first(&jobs->finished)))
        job->done(job);
    while ((job = take_first(&jobs->waiting))) {
        job->cancelled = true;
        job->done(job);
    }
    close(jobs->event);
    pthread_cond_destroy(&jobs->more);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}
