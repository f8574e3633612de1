#include "model/hosts.h"

#include "model/news.h"
#include "model/serve.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* One thread. */
struct host {
    struct hosts *hosts; /* borrowed: they end first */
    pthread_t thread;
    int rc; /* of its start */
};

static void look_after(struct hosts *hosts, struct poll_driver *driver, struct guest *guest)
{
    struct watch watch = {.stop = hosts->worker->stop,
                          .busy = guest->leave ? &hosts->leave : &hosts->busy,
                          .busy_count = 1,
                          .confirm_ms = guest->leave ? 0 : LIMIT_CONFIRM_MS};
    if (hosts->worker->service->talk) {
        serve_client(driver, hosts->worker, &guest->stream, &watch);
        guest->closed = true;
        return;
    }
    bool park = !guest->leave && !atomic_load(&hosts->stopping);
    struct weir_stream stream;
    stream_take(&stream, &guest->stream);
    guest->closed = poll_drive(driver, &stream, guest->conn, &watch, park, &guest->conn,
                               &guest->stream) == POLL_CLOSED;
}

/* The next guest; while there is none, and else each second, the service writes out what it put off. */
static struct guest *next_guest(struct hosts *hosts, struct poll_driver *driver, uint64_t *idle_ns,
                                bool *out_over)
{
    uint64_t now = poll_driver_base(driver)->now.mono_ns;
    if (now < *idle_ns) {
        struct guest *guest = handoff_take(&hosts->handoff, now, out_over);
        if (guest || *out_over)
            return guest;
    }
    *idle_ns = now + WEIR_NS_PER_S;
    return handoff_take(&hosts->handoff, poll_driver_idle(driver), out_over);
}

static void *run_host(void *arg)
{
    struct host *host = arg;
    struct hosts *hosts = host->hosts;
    struct poll_driver *driver;
    int rc = host->rc = poll_driver_new(hosts->worker->service, &driver);
    sem_post(&hosts->ready);
    if (rc < 0)
        return NULL;
    uint64_t idle_ns = 0;
    for (bool over = false; !over;) {
        struct guest *guest = next_guest(hosts, driver, &idle_ns, &over);
        if (!guest)
            continue;
        look_after(hosts, driver, guest);
        handoff_return(&hosts->handoff, guest);
    }
    poll_driver_free(driver);
    return NULL;
}

static int start_host(struct hosts *hosts, const pthread_attr_t *attributes)
{
    struct host *host = &hosts->at[hosts->count];
    *host = (struct host){.hosts = hosts};
    int error = pthread_create(&host->thread, attributes, run_host, host);
    if (error)
        return -error;
    while (sem_wait(&hosts->ready) < 0)
        ; /* interrupted */
    if (host->rc == 0)
        hosts->count++;
    else
        pthread_join(host->thread, NULL);
    return host->rc;
}

static int start_all(struct hosts *hosts)
{
    unsigned wanted = hosts->worker->server->workers;
    hosts->at = calloc(wanted, sizeof(*hosts->at));
    if (!hosts->at)
        return -ENOMEM;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LIMIT_STACK_BYTES);
    int rc = 0;
    while (hosts->count < wanted && rc == 0)
        rc = start_host(hosts, &attributes);
    pthread_attr_destroy(&attributes);
    if (rc < 0 && hosts->count > 0) {
        news_say(hosts->worker, WEIR_REPORT_WARNING, "only %u of %u threads could be started: %s",
                 hosts->count, wanted, strerror(-rc));
        rc = 0;
    }
    return rc;
}

int hosts_start(struct hosts *hosts, const struct worker *worker)
{
    *hosts = (struct hosts){.worker = worker};
    sem_init(&hosts->ready, 0, 0);
    hosts->busy = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hosts->leave = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = handoff_init(&hosts->handoff, worker->server->queue);
    if (rc == 0 && (hosts->busy < 0 || hosts->leave < 0))
        rc = -EMFILE;
    return rc < 0 ? rc : start_all(hosts);
}

void hosts_end(struct hosts *hosts)
{
    handoff_end(&hosts->handoff);
    for (unsigned i = 0; i < hosts->count; i++)
        pthread_join(hosts->at[i].thread, NULL);
    free(hosts->at);
    handoff_done(&hosts->handoff);
    if (hosts->busy >= 0)
        close(hosts->busy);
    if (hosts->leave >= 0)
        close(hosts->leave);
}
