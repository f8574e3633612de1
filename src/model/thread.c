/* thread: a thread for each connection, up to a bound. They share one memory, so one that crashes takes all along. */
#include "model/crowd.h"
#include "model/serve.h"
#include "tbl/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct threads {
    struct crowd crowd; /* first */
    pthread_attr_t attributes;
};

/* What one thread is given; it frees it. */
struct errand {
    const struct worker *worker;
    struct weir_stream client;
    struct watch watch;
    int ended; /* borrowed: the acceptor outlives all threads */
};

static void *run_errand(void *arg)
{
    struct errand *errand = arg;
    int ended = errand->ended;
    (void)serve_alone(errand->worker, &errand->client, &errand->watch);
    free(errand);
    eventfd_write(ended, 1);
    return NULL;
}

static int start(struct crowd *crowd, struct weir_stream *client)
{
    struct errand *errand = malloc(sizeof(*errand));
    if (!errand)
        return -ENOMEM;
    *errand = (struct errand){.worker = crowd->gate.worker, .ended = crowd->ended};
    errand->watch =
        (struct watch){.stop = crowd->gate.worker->stop, .busy = &crowd->busy, .busy_count = 1};
    stream_take(&errand->client, client);
    pthread_t thread;
    int error = pthread_create(&thread, &((struct threads *)crowd)->attributes, run_errand, errand);
    if (error) {
        stream_take(client, &errand->client);
        free(errand);
    }
    return -error;
}

/* Each thread adds 1 when it ends, so the counter is the answer. */
static unsigned reap(struct crowd *crowd)
{
    eventfd_t count;
    return eventfd_read(crowd->ended, &count) == 0 ? (unsigned)count : 0;
}

int thread_run(const struct worker *worker)
{
    struct threads threads = {.crowd = {.start = start, .reap = reap}};
    threads.crowd.ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (threads.crowd.ended < 0)
        return -errno;
    pthread_attr_init(&threads.attributes);
    pthread_attr_setdetachstate(&threads.attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&threads.attributes, LIMIT_STACK_BYTES);
    int rc = crowd_run(&threads.crowd, worker);
    pthread_attr_destroy(&threads.attributes);
    return rc;
}
