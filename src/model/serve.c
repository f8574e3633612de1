#include "model/serve.h"

#include "model/news.h"
#include "model/worker.h"

#include <weir/process.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A plain function gets a stream of its own on the heap, as weir_from_fd() would make it. */
static void talk(const struct worker *worker, struct weir_stream *client)
{
    struct weir_stream *stream = malloc(sizeof(*stream));
    if (!stream) {
        stream_done(client);
        news_say(worker, WEIR_REPORT_WARNING, "a client was let go: %s", strerror(ENOMEM));
        return;
    }
    stream_take(stream, client);
    stream->heap = true;
    stream->timeout_ms = WEIR_FOREVER;
    int rc = worker->service->talk(stream, worker->service->arg);
    if (rc < 0)
        news_say(worker, WEIR_REPORT_INFO, "%s ended with an error: %s", worker->service->name,
                 strerror(-rc));
    weir_close(stream);
}

void serve_client(struct poll_driver *driver, const struct worker *worker,
                  struct weir_stream *client, const struct watch *watch)
{
    if (worker->service->talk) {
        talk(worker, client);
        return;
    }
    struct weir_conn *conn;
    struct weir_stream rest;
    enum poll_end end = poll_drive(driver, client, NULL, watch, false, &conn, &rest);
    (void)end; /* closed: it was not asked to rest */
}

int serve_alone(const struct worker *worker, struct weir_stream *client, const struct watch *watch)
{
    struct poll_driver *driver;
    int rc = poll_driver_new(worker->service, &driver);
    if (rc < 0) {
        stream_done(client);
        news_say(worker, WEIR_REPORT_WARNING, "a client was let go: %s", strerror(-rc));
        return rc;
    }
    serve_client(driver, worker, client, watch);
    poll_driver_free(driver);
    return 0;
}

/* Signals as a worker has them; SIGCHLD was blocked in a parent that reads it from a descriptor. */
static void become_child(pid_t parent)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &child, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE); /* it died before the line above */
}

pid_t serve_child(struct gate *gate, struct weir_stream *client, const struct watch *watch,
                  int close_fd)
{
    const struct weir_service *service = gate->worker->service;
    pid_t parent = getpid();
    if (service->before_child)
        service->before_child(service->before_child_arg, mono_ns());
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        become_child(parent);
        gate_abandon(gate, watch->busy == gate->fds);
        if (close_fd >= 0)
            close(close_fd);
        worker_exit(serve_alone(gate->worker, client, watch) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    stream_done(client); /* this copy; the connection is the child's */
    return pid;
}

void serve_child_ended(const struct worker *worker, pid_t pid, int status)
{
    if (WIFEXITED(status))
        return; /* what there was to say, it has said */
    char words[64];
    news_say(worker, WEIR_REPORT_WARNING, "the process of a connection (%d) %s", (int)pid,
             weir_process_status(WEIR_SIGNALLED + WTERMSIG(status), words, sizeof(words)));
}
