/* The threads of a load: each runs an event driver with connections of its own and no listener. */
#include "drive/loop.h"
#include "load/worker.h"
#include "stream/wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FILES_KEPT 64 /* descriptors beside the connections: logs, epoll, timers */

#define E(id, name, text) text,
const char *const load_error_texts[LOAD_ERROR_COUNT] = {LOAD_ERRORS(E)};
#undef E
#define E(id, name, text) name,
const char *const load_error_names[LOAD_ERROR_COUNT] = {LOAD_ERRORS(E)};
#undef E

struct thread {
    struct worker worker;
    pthread_t id;
    bool running;
    int result;
    int stop;         /* eventfd: its loop ends */
    int finished;     /* borrowed: eventfd of all, it has ended */
    atomic_bool over; /* the user does not want to wait */
};

/* --- the clock of a worker is a stream, too --- */

static ssize_t ticker_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct thread *thread = (struct thread *)(uintptr_t)weir_conn_config(conn);
    (void)state;
    (void)bytes;
    if (atomic_load_explicit(&thread->over, memory_order_relaxed))
        worker_end(&thread->worker);
    worker_tick(&thread->worker);
    return (ssize_t)len;
}

static const struct weir_protocol ticker = {
    .name = "ticker", .input_max = sizeof(uint64_t), .input = ticker_input};

static int start_ticker(struct thread *thread, struct weir_driver *driver)
{
    uint64_t ns = worker_tick_ns(&thread->worker);
    struct timespec step = {.tv_sec = (time_t)(ns / WEIR_NS_PER_S),
                            .tv_nsec = (long)(ns % WEIR_NS_PER_S)};
    const struct itimerspec when = {.it_interval = step, .it_value = step};
    struct weir_stream stream;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = stream_init_fd(&stream, fd, true);
    if (rc < 0)
        return rc;
    if (timerfd_settime(fd, 0, &when, NULL) < 0 ||
        !driver->ops->adopt(driver, &stream, &ticker, thread))
        return -ENOMEM;
    return 0;
}

/* --- a thread --- */

/* A connection to a free port of our own range can meet itself. */
static bool met_itself(const struct weir_stream *s, const struct load_target *target)
{
    struct sockaddr_storage near;
    socklen_t len = sizeof(near);
    memset(&near, 0, sizeof(near));
    return target->at.ss_family != AF_UNIX &&
           getsockname(s->in, (struct sockaddr *)&near, &len) == 0 && len == target->at_len &&
           memcmp(&near, &target->at, len) == 0;
}

static int connect_target(struct worker *w, struct weir_stream *value, struct weir_stream **out)
{
    const struct load_target *target = w->options->target;
    int rc = stream_connect_start(value, (const struct sockaddr *)&target->at, target->at_len);
    if (rc < 0 && rc != -EINPROGRESS)
        return rc;
    if (met_itself(value, target)) {
        stream_done(value);
        return -ECONNREFUSED;
    }
    *out = value;
    return 0;
}

static void thread_ended(struct worker *w)
{
    struct thread *thread = (struct thread *)((char *)w - offsetof(struct thread, worker));
    eventfd_write(thread->stop, 1);
}

static int begin(struct weir_driver *driver, void *arg)
{
    struct thread *thread = arg;
    thread->worker.connect = connect_target;
    thread->worker.ended = thread_ended;
    int rc = start_ticker(thread, driver);
    if (rc == 0)
        worker_start(&thread->worker, driver);
    return rc;
}

static void *run(void *arg)
{
    struct thread *thread = arg;
    const struct weir_service service = {.name = "load", .arg = thread, .worker_start = begin};
    thread->result = epoll_drive(
        &(struct epoll_options){.service = &service, .stop = thread->stop, .cut = true});
    worker_end(&thread->worker); /* if it could not begin */
    eventfd_write(thread->finished, 1);
    return NULL;
}

/* --- all of them --- */

struct crew {
    const struct load_options *options;
    struct thread *threads;
    unsigned running;
    int finished; /* eventfd, counts */
    int signals;
    sigset_t mask_before;
    uint64_t from_ns;
    bool interrupted;
};

static void report_progress(const struct crew *crew)
{
    const struct load_options *o = crew->options;
    struct load_progress p = {.elapsed_ns = deadline_now() - crew->from_ns};
    p.warming = p.elapsed_ns < o->warmup_ns;
    for (unsigned i = 0; i < o->threads; i++) {
        struct worker *w = &crew->threads[i].worker;
        p.answered += atomic_load_explicit(&w->live_answered, memory_order_relaxed);
        p.errors += atomic_load_explicit(&w->live_errors, memory_order_relaxed);
        p.bytes += atomic_load_explicit(&w->live_bytes, memory_order_relaxed);
    }
    o->progress(o->arg, &p);
}

static void heard_signal(struct crew *crew)
{
    struct signalfd_siginfo info;
    while (read(crew->signals, &info, sizeof(info)) > 0)
        crew->interrupted = true;
    for (unsigned i = 0; crew->interrupted && i < crew->options->threads; i++)
        atomic_store_explicit(&crew->threads[i].over, true, memory_order_relaxed);
}

/* Every thread ends by itself: its time is bounded. */
static void wait_all(struct crew *crew)
{
    const struct load_options *o = crew->options;
    uint64_t next = o->progress ? crew->from_ns + o->progress_ns : DEADLINE_NEVER;
    while (crew->running > 0) {
        struct pollfd fds[] = {{.fd = crew->finished, .events = POLLIN},
                               {.fd = crew->signals, .events = POLLIN}};
        eventfd_t count;
        (void)!wait_fds(fds, 2, next);
        heard_signal(crew);
        if (eventfd_read(crew->finished, &count) == 0)
            crew->running -= (unsigned)count;
        if (deadline_now() >= next) {
            report_progress(crew);
            next += o->progress_ns;
        }
    }
}

static int start_threads(struct crew *crew)
{
    for (unsigned i = 0; i < crew->options->threads; i++) {
        struct thread *thread = &crew->threads[i];
        thread->finished = crew->finished;
        thread->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (thread->stop < 0)
            return -errno;
        int rc = worker_init(&thread->worker, crew->options, i);
        if (rc == 0)
            rc = -pthread_create(&thread->id, NULL, run, thread);
        if (rc < 0)
            return rc;
        thread->running = true;
        crew->running++;
    }
    return 0;
}

static void add_result(struct load_result *to, struct load_result *from)
{
    to->elapsed_ns = from->elapsed_ns > to->elapsed_ns ? from->elapsed_ns : to->elapsed_ns;
    to->answered += from->answered;
    to->answered_all += from->answered_all;
    for (unsigned i = 0; i < 6; i++)
        to->statuses[i] += from->statuses[i];
    for (unsigned i = 0; i < LOAD_ERROR_COUNT; i++)
        to->errors[i] += from->errors[i];
    to->bytes_in += from->bytes_in;
    to->bytes_out += from->bytes_out;
    to->connects += from->connects;
    to->retried += from->retried;
    to->unfinished += from->unfinished;
    to->overdue += from->overdue;
    to->late_max_ns = from->late_max_ns > to->late_max_ns ? from->late_max_ns : to->late_max_ns;
    to->cpu_ns += from->cpu_ns;
    if (to->series) {
        series_merge(to->series, from->series);
    } else {
        to->series = from->series;
        from->series = NULL;
    }
}

/* Joins and adds up. 0, or what kept one from working. */
static int collect(struct crew *crew, struct load_result *out)
{
    int rc = 0;
    for (unsigned i = 0; i < crew->options->threads; i++) {
        struct thread *thread = &crew->threads[i];
        if (thread->running) {
            pthread_join(thread->id, NULL);
            rc = thread->result < 0 ? thread->result : rc;
            add_result(out, &thread->worker.result);
        }
        worker_done(&thread->worker);
        if (thread->stop >= 0)
            close(thread->stop);
    }
    if (out->series)
        series_total(out->series, &out->latency);
    out->interrupted = crew->interrupted;
    return rc;
}

static int check_files(const struct load_options *o)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return -errno;
    rlim_t want = o->connections + FILES_KEPT;
    if (files.rlim_cur < want && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = want < files.rlim_max ? want : files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) < 0)
            return -errno;
    }
    return files.rlim_cur < want ? -EMFILE : 0;
}

static void take_signals(struct crew *crew)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, &crew->mask_before);
    crew->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int load_run(const struct load_options *options, struct load_result *out)
{
    struct crew crew = {.options = options, .from_ns = deadline_now()};
    memset(out, 0, sizeof(*out));
    int rc = check_files(options);
    if (rc < 0)
        return rc;
    crew.threads = calloc(options->threads, sizeof(*crew.threads));
    if (!crew.threads)
        return -ENOMEM;
    for (unsigned i = 0; i < options->threads; i++)
        crew.threads[i].stop = -1;
    crew.finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    take_signals(&crew);
    rc = crew.finished < 0 ? -EMFILE : start_threads(&crew);
    for (unsigned i = 0; rc < 0 && i < options->threads; i++)
        atomic_store_explicit(&crew.threads[i].over, true, memory_order_relaxed);
    wait_all(&crew);
    int failed = collect(&crew, out);
    pthread_sigmask(SIG_SETMASK, &crew.mask_before, NULL);
    if (crew.signals >= 0)
        close(crew.signals);
    if (crew.finished >= 0)
        close(crew.finished);
    free(crew.threads);
    return rc < 0 ? rc : failed;
}

void load_done(struct load_result *result)
{
    free(result->series);
    result->series = NULL;
}

uint64_t load_errors(const struct load_result *result)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < LOAD_ERROR_COUNT; i++)
        sum += result->errors[i];
    return sum;
}

uint64_t load_refusals(const struct load_result *result)
{
    return result->statuses[4] + result->statuses[5];
}
