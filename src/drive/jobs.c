/* Slow work on a bounded number of helper threads; they start with the first job, so after every fork. */
#include "drive/core.h"
#include "tbl/limits.h"
#include "tbl/limits_routes.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define JOB_STACK (256 * 1024) /* getaddrinfo and crypt need some; a frame of ours is small */
#define CREW_MAX                                                                                   \
    (LIMIT_ANSWER_THREADS > LIMIT_JOB_THREADS ? LIMIT_ANSWER_THREADS : LIMIT_JOB_THREADS)

struct job_list {
    struct weir_job *first, *last;
};

/* Helpers that share a queue. Jobs that wait for the world have a crew of their own: the others never queue behind them. */
struct crew {
    struct jobs *jobs; /* borrowed: it is in there */
    pthread_cond_t more;
    struct job_list waiting;
    unsigned queued, queue_max; /* in waiting */
    unsigned idle;              /* helpers that wait for a job */
    unsigned threads, threads_max;
    size_t stack;
    int nice; /* how far they stand back behind the loops */
    pthread_t thread[CREW_MAX];
};

enum { CREW_WORKS, CREW_WAITS, CREW_SHAKES, CREWS };

struct jobs {
    pthread_mutex_t lock;
    struct job_list finished;
    bool stop;
    int event;
    struct crew crews[CREWS];
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
    struct crew *crew = arg;
    struct jobs *jobs = crew->jobs;
    if (crew->nice > 0) /* Linux counts this by thread */
        (void)setpriority(PRIO_PROCESS, 0, crew->nice);
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        struct weir_job *job = jobs->stop ? NULL : take_first(&crew->waiting);
        if (job) {
            crew->queued--;
            pthread_mutex_unlock(&jobs->lock);
            job->work(job);
            pthread_mutex_lock(&jobs->lock);
            finished(jobs, job);
        } else if (jobs->stop) {
            break;
        } else {
            crew->idle++;
            pthread_cond_wait(&crew->more, &jobs->lock);
            crew->idle--;
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

/* Helpers take no signals: those belong to the supervisor and the main threads. */
static int start_helper(struct crew *crew)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, crew->stack);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&crew->thread[crew->threads], &attr, helper, crew);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (rc == 0)
        crew->threads++;
    return -rc;
}

static void init_crew(struct jobs *jobs, unsigned which, unsigned threads, unsigned queue,
                      size_t stack)
{
    struct crew *crew = &jobs->crews[which];
    crew->jobs = jobs;
    crew->threads_max = threads;
    crew->queue_max = queue;
    crew->stack = stack;
    pthread_cond_init(&crew->more, NULL);
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
    init_crew(jobs, CREW_WORKS, LIMIT_JOB_THREADS, LIMIT_JOB_QUEUE, JOB_STACK);
    init_crew(jobs, CREW_WAITS, LIMIT_ANSWER_THREADS, LIMIT_ANSWER_QUEUE, LIMIT_ANSWER_STACK);
    init_crew(jobs, CREW_SHAKES, LIMIT_SHAKE_THREADS, LIMIT_SHAKE_QUEUE, JOB_STACK);
    jobs->crews[CREW_SHAKES].nice = LIMIT_SHAKE_NICE;
    *out = jobs;
    return 0;
}

int jobs_fd(const struct jobs *jobs)
{
    return jobs->event;
}

static struct crew *crew_of(struct jobs *jobs, const struct weir_job *job)
{
    return &jobs->crews[job->waits ? CREW_WAITS : job->shakes ? CREW_SHAKES : CREW_WORKS];
}

int jobs_submit(struct jobs *jobs, struct weir_job *job)
{
    struct crew *crew = crew_of(jobs, job);
    int rc = 0;
    job->cancelled = false;
    pthread_mutex_lock(&jobs->lock);
    if (crew->queued >= crew->queue_max)
        rc = -EAGAIN;
    if (rc == 0 && crew->idle <= crew->queued && crew->threads < crew->threads_max) {
        int started = start_helper(crew);
        rc = crew->threads == 0 ? started : 0; /* one helper is enough to go on */
    }
    if (rc == 0) {
        append(&crew->waiting, job);
        crew->queued++;
        pthread_cond_signal(&crew->more);
    }
    pthread_mutex_unlock(&jobs->lock);
    return rc;
}

void jobs_post(struct jobs *jobs, struct weir_job *job)
{
    pthread_mutex_lock(&jobs->lock);
    job->cancelled = false;
    finished(jobs, job);
    pthread_mutex_unlock(&jobs->lock);
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

static void end_crew(struct crew *crew)
{
    for (unsigned i = 0; i < crew->threads; i++)
        pthread_join(crew->thread[i], NULL);
    pthread_cond_destroy(&crew->more);
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->stop = true;
    for (unsigned i = 0; i < CREWS; i++)
        pthread_cond_broadcast(&jobs->crews[i].more);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < CREWS; i++)
        end_crew(&jobs->crews[i]);
    struct weir_job *job;
    while ((job = take_first(&jobs->finished)))
        job->done(job);
    for (unsigned i = 0; i < CREWS; i++) {
        while ((job = take_first(&jobs->crews[i].waiting))) {
            job->cancelled = true;
            job->done(job);
        }
    }
    close(jobs->event);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}
