/*
 * The supervisor: opens the listeners and keeps them, starts workers, starts them again when they die, and stops them. It
 * serves nobody itself, so there is little in it that could fail.
 *
 * Workers are told to stop by the end of file on a pipe whose writing end only the supervisor holds: it comes when the
 * supervisor says so, and also when it dies.
 */
#include "model/descend.h"
#include "model/helper.h"
#include "model/limits.h"
#include "model/listen.h"
#include "model/news.h"
#include "model/restart.h"
#include "model/standard.h"
#include "model/worker.h"
#include "tbl/limits.h"
#include "tbl/limits_log.h"

#include <weir/process.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT_START 70 /* a worker's exit status: its model said so; EX_SOFTWARE of sysexits.h */

struct place {
    pid_t pid; /* 0: no worker now */
    struct restart restart;
    uint64_t start_ns; /* no worker now: start one then; 0: do not */
};

struct supervisor {
    struct weir_server server; /* settled */
    const struct model *model;
    struct listeners listeners;
    struct place *places; /* one a worker */
    unsigned count;       /* of worker processes */
    unsigned running;
    int stop[2]; /* pipe: [1] is closed to say stop */
    int news[2];
    int signals; /* signalfd */
    sigset_t mask_before;
    struct sigaction child_before;
    struct rlimit files_before;
    struct descend descend;
    struct helper helpers[LIMIT_HELPERS];
    unsigned helper_count;
    bool stopping;
    uint64_t kill_ns; /* stopping: the grace is over then */
    uint64_t deaf_ns; /* stopping: a signal until then is the first one, said twice */
    int status;       /* enum WEIR_EXIT_… so far */
};

static void __attribute__((format(printf, 3, 4)))
report(const struct supervisor *supervisor, enum weir_report kind, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (supervisor->server.report)
        supervisor->server.report(supervisor->server.report_arg, kind, line);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- workers --- */

static _Noreturn void be_worker(struct supervisor *supervisor, unsigned index, pid_t parent)
{
    close_fd(&supervisor->stop[1]);
    close_fd(&supervisor->news[0]);
    close_fd(&supervisor->signals);
    worker_signals(&supervisor->mask_before, parent, supervisor->server.grace_s);
    listeners_keep(&supervisor->listeners, index);
    struct worker worker = {
        .server = &supervisor->server,
        .service = supervisor->server.service,
        .listeners = supervisor->model->once ? NULL : listeners_of(&supervisor->listeners, index),
        .listener_count = supervisor->listeners.endpoints,
        .number = index + 1,
        .stop = supervisor->stop[0],
        .news = supervisor->news[1]};
    int rc = supervisor->model->run(&worker);
    if (rc < 0)
        news_say(&worker, WEIR_REPORT_WARNING, "worker %u cannot start: %s", worker.number,
                 strerror(-rc));
    worker_exit(rc < 0 ? CANNOT_START : EXIT_SUCCESS);
}

/* 0 or -errno. */
static int start_worker(struct supervisor *supervisor, unsigned index)
{
    struct place *place = &supervisor->places[index];
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        be_worker(supervisor, index, parent);
    place->pid = pid;
    place->start_ns = 0;
    restart_started(&place->restart, mono_ns());
    supervisor->running++;
    report(supervisor, WEIR_REPORT_INFO, "worker %u started (process %d)", index + 1, (int)pid);
    return 0;
}

static void start_again(struct supervisor *supervisor, unsigned index)
{
    struct place *place = &supervisor->places[index];
    int rc = start_worker(supervisor, index);
    if (rc == 0)
        return;
    place->start_ns = mono_ns() + LIMIT_RESTART_MAX_MS * WEIR_NS_PER_MS;
    report(supervisor, WEIR_REPORT_WARNING, "worker %u cannot be started, trying again: %s",
           index + 1, strerror(-rc));
}

/* It serves nobody, and must not keep the workers from seeing the stop. */
static void leave_to_helper(void *arg)
{
    struct supervisor *supervisor = arg;
    close_fd(&supervisor->stop[1]);
    close_fd(&supervisor->stop[0]);
    close_fd(&supervisor->news[0]);
    close_fd(&supervisor->signals);
    listeners_drop(&supervisor->listeners);
    for (unsigned i = 0; i < supervisor->helper_count; i++)
        close_fd(&supervisor->helpers[i].alive[1]); /* nor one another from seeing the end */
    if (supervisor->model->once)
        standard_release(); /* the conversation is not its own */
}

static struct helper_origin origin_of(struct supervisor *supervisor)
{
    return (struct helper_origin){.mask = &supervisor->mask_before,
                                  .news = supervisor->news[1],
                                  .leave = leave_to_helper,
                                  .arg = supervisor};
}

/* Without it, what it is for waits; what is wrong is tried again. */
static void start_helper(struct supervisor *supervisor, unsigned index)
{
    struct helper_origin origin = origin_of(supervisor);
    bool started = helper_start(&supervisor->helpers[index], &origin) == 0;
    supervisor->descend.spared[index] = started ? supervisor->helpers[index].pid : 0;
}

static void start_due(struct supervisor *supervisor, uint64_t now)
{
    for (unsigned i = 0; i < supervisor->helper_count; i++)
        if (supervisor->helpers[i].start_ns && supervisor->helpers[i].start_ns <= now)
            start_helper(supervisor, i);
    for (unsigned i = 0; i < supervisor->count; i++) {
        const struct place *place = &supervisor->places[i];
        if (place->start_ns && place->start_ns <= now)
            start_again(supervisor, i);
    }
}

static const char *words_of(int status, char *text, size_t size)
{
    int value = WIFSIGNALED(status) ? WEIR_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
    return weir_process_status(value, text, size);
}

static void begin_stop(struct supervisor *supervisor);

/* The conversation is over, and there will be no other. */
static void conversation_ended(struct supervisor *supervisor, int pid, int status,
                               const char *words)
{
    if (status != 0)
        supervisor->status = WEIR_EXIT_FAILED;
    if (WIFSIGNALED(status))
        report(supervisor, WEIR_REPORT_ERROR, "the process of the conversation (%d) %s", pid,
               words);
    begin_stop(supervisor);
}

/* The listener it had is kept, so clients in its queue wait for the successor. */
static void worker_died(struct supervisor *supervisor, unsigned index, int status)
{
    struct place *place = &supervisor->places[index];
    char words[64];
    int pid = (int)place->pid;
    place->pid = 0;
    supervisor->running--;
    words_of(status, words, sizeof(words));
    if (supervisor->stopping) {
        if (status == 0)
            return;
        report(supervisor, WEIR_REPORT_WARNING, "worker %u (process %d) %s while stopping",
               index + 1, pid, words);
        supervisor->status = supervisor->status ? supervisor->status : WEIR_EXIT_FAILED;
        return;
    }
    if (supervisor->model->once) {
        conversation_ended(supervisor, pid, status, words);
        return;
    }
    uint64_t now = mono_ns();
    unsigned delay_ms = restart_died(&place->restart, now);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_START && delay_ms == 0) {
        report(supervisor, WEIR_REPORT_ERROR, "worker %u could not start, so nothing is served",
               index + 1);
        supervisor->status = WEIR_EXIT_FAILED;
        begin_stop(supervisor);
        return;
    }
    place->start_ns = now + delay_ms * WEIR_NS_PER_MS;
    report(supervisor, WEIR_REPORT_WARNING,
           "worker %u (process %d) %s; another is started in %u ms", index + 1, pid, words,
           delay_ms);
}

static void reap_one(struct supervisor *supervisor, pid_t pid, int status)
{
    char words[64];
    unsigned delay_ms;
    for (unsigned i = 0; i < supervisor->helper_count; i++)
        if (helper_died(&supervisor->helpers[i], pid, &delay_ms))
            report(supervisor, WEIR_REPORT_WARNING, "%s (%d) %s; another is started in %u ms",
                   supervisor->helpers[i].row->what, (int)pid,
                   words_of(status, words, sizeof(words)), delay_ms);
    for (unsigned i = 0; i < supervisor->count; i++)
        if (supervisor->places[i].pid == pid)
            worker_died(supervisor, i, status);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        reap_one(supervisor, pid, status);
}

/* --- stopping --- */

/* Workers accept what is queued until they find nobody, then close; this process must not keep the queues open. */
static void begin_stop(struct supervisor *supervisor)
{
    supervisor->stopping = true;
    uint64_t now = mono_ns();
    supervisor->kill_ns = now + supervisor->server.grace_s * WEIR_NS_PER_S;
    supervisor->deaf_ns = now + LIMIT_STOP_TWICE_MS * WEIR_NS_PER_MS;
    start_due(supervisor, UINT64_MAX); /* a dead worker's queue wants its answers too */
    for (unsigned i = 0; i < supervisor->count; i++)
        supervisor->places[i].start_ns = 0;
    listeners_close(&supervisor->listeners);
    close_fd(&supervisor->stop[1]);
}

/* Reaps without a word: what died was killed. */
static void bury(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (unsigned i = 0; i < supervisor->helper_count; i++)
            if (supervisor->helpers[i].pid == pid)
                supervisor->helpers[i].pid = 0;
        for (unsigned i = 0; i < supervisor->count; i++)
            if (supervisor->places[i].pid == pid)
                supervisor->places[i].pid = 0;
    }
}

static void cut(struct supervisor *supervisor, const char *why)
{
    supervisor->status = WEIR_EXIT_GRACE;
    report(supervisor, WEIR_REPORT_WARNING, "%s: connections under way are cut", why);
    uint64_t until = mono_ns() + LIMIT_KILLED_MS * WEIR_NS_PER_MS;
    for (unsigned left = 1; left > 0 && mono_ns() < until;) {
        left = descend_kill(&supervisor->descend);
        for (unsigned i = 0; i < supervisor->count; i++)
            if (supervisor->places[i].pid && kill(supervisor->places[i].pid, SIGKILL) == 0)
                left++;
        bury(supervisor);
        if (left > 0)
            poll(NULL, 0, 2);
    }
}

/* --- the loop --- */

static void heard_signal(struct supervisor *supervisor, const struct signalfd_siginfo *info,
                         bool *out_cut)
{
    reap(supervisor); /* also before a stop: who died earlier did not die of it */
    for (unsigned i = 0; info->ssi_signo == SIGUSR1 && i < supervisor->helper_count; i++)
        helper_signal(&supervisor->helpers[i], SIGUSR1);
    if (info->ssi_signo == SIGCHLD || info->ssi_signo == SIGUSR1)
        return;
    if (!supervisor->stopping)
        begin_stop(supervisor);
    else if (mono_ns() >= supervisor->deaf_ns)
        *out_cut = true;
}

static int wait_ms(const struct supervisor *supervisor)
{
    uint64_t first = supervisor->stopping ? supervisor->kill_ns : 0;
    for (unsigned i = 0; i < supervisor->helper_count; i++) {
        uint64_t at = supervisor->helpers[i].start_ns;
        if (at && (!first || at < first))
            first = at;
    }
    for (unsigned i = 0; i < supervisor->count; i++) {
        uint64_t at = supervisor->places[i].start_ns;
        if (at && (!first || at < first))
            first = at;
    }
    return wait_ms_until(first);
}

static void run(struct supervisor *supervisor)
{
    while (!supervisor->stopping || supervisor->running > 0) {
        struct pollfd fds[] = {{.fd = supervisor->signals, .events = POLLIN},
                               {.fd = supervisor->news[0], .events = POLLIN}};
        (void)poll(fds, 2, wait_ms(supervisor));
        news_pass_on(supervisor->news[0], &supervisor->server);
        struct signalfd_siginfo info;
        bool again = false;
        while (read(supervisor->signals, &info, sizeof(info)) > 0)
            heard_signal(supervisor, &info, &again);
        uint64_t now = mono_ns();
        if (supervisor->stopping && supervisor->running > 0 &&
            (again || now >= supervisor->kill_ns)) {
            cut(supervisor, again ? "told to stop again" : "the grace period is over");
            return;
        }
        start_due(supervisor, now);
    }
}

static int start_workers(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->helper_count; i++)
        start_helper(supervisor, i);
    for (unsigned i = 0; i < supervisor->count; i++) {
        int rc = start_worker(supervisor, i);
        if (rc < 0) {
            report(supervisor, WEIR_REPORT_ERROR, "cannot start worker %u: %s", i + 1,
                   strerror(-rc));
            supervisor->status = WEIR_EXIT_FAILED;
            begin_stop(supervisor);
            return rc;
        }
    }
    if (supervisor->model->once)
        standard_release();
    for (unsigned i = 0; i < supervisor->listeners.endpoints; i++)
        report(supervisor, WEIR_REPORT_READY, "%s",
               weir_listener_name(listeners_of(&supervisor->listeners, 0)[i]));
    return 0;
}

static void signals_taken(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGCHLD);
    sigaddset(out, SIGUSR1);
}

static void take_signals(struct supervisor *supervisor)
{
    sigset_t set;
    signals_taken(&set);
    pthread_sigmask(SIG_BLOCK, &set, &supervisor->mask_before);
    /* Ignored, children would vanish without a word. */
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &supervisor->child_before);
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void give_signals_back(const struct supervisor *supervisor)
{
    sigset_t set;
    signals_taken(&set);
    while (sigtimedwait(&set, NULL, &(struct timespec){0}) > 0)
        ; /* a stop that came too late must not end the caller's program */
    sigaction(SIGCHLD, &supervisor->child_before, NULL);
    pthread_sigmask(SIG_SETMASK, &supervisor->mask_before, NULL);
}

static int prepare_helpers(struct supervisor *supervisor)
{
    const struct weir_service *service = supervisor->server.service;
    int rc = service->beside_count > LIMIT_HELPERS ? -E2BIG : 0;
    for (unsigned i = 0; i < service->beside_count && rc == 0; i++) {
        rc = helper_init(&supervisor->helpers[i], &service->beside[i]);
        supervisor->helper_count += rc == 0;
    }
    return rc;
}

static int prepare(struct supervisor *supervisor)
{
    char why[512];
    int rc = 0;
    if (!supervisor->model->once)
        rc = listeners_open(&supervisor->listeners, &supervisor->server, supervisor->count,
                            supervisor->model->reuseport, why, sizeof(why));
    if (rc < 0) {
        report(supervisor, WEIR_REPORT_ERROR, "%s", why);
        return rc;
    }
    supervisor->places = calloc(supervisor->count, sizeof(*supervisor->places));
    rc = supervisor->places ? news_open(supervisor->news) : -ENOMEM;
    if (rc == 0 && pipe2(supervisor->stop, O_CLOEXEC) < 0)
        rc = -errno;
    if (rc == 0)
        rc = prepare_helpers(supervisor);
    if (rc == 0 && supervisor->signals < 0)
        rc = -EMFILE;
    if (rc < 0)
        report(supervisor, WEIR_REPORT_ERROR, "cannot start: %s", strerror(-rc));
    return rc;
}

static void end_helpers(struct supervisor *supervisor)
{
    struct helper_origin origin = origin_of(supervisor);
    for (unsigned i = 0; i < supervisor->helper_count; i++)
        if (!helper_end(&supervisor->helpers[i], &origin, &supervisor->server, supervisor->news[0]))
            report(supervisor, WEIR_REPORT_WARNING, "%s did not end in time",
                   supervisor->helpers[i].row->what);
}

static void release(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->helper_count; i++)
        helper_done(&supervisor->helpers[i]);
    listeners_close(&supervisor->listeners);
    free(supervisor->places);
    for (unsigned i = 0; i < 2; i++) {
        close_fd(&supervisor->stop[i]);
        close_fd(&supervisor->news[i]);
    }
    close_fd(&supervisor->signals);
}

int weir_server_run(const struct weir_server *server)
{
    struct supervisor supervisor = {
        .server = *server, .stop = {-1, -1}, .news = {-1, -1}, .signals = -1};
    int status = weir_server_settle(&supervisor.server);
    if (status != WEIR_EXIT_OK)
        return status;
    supervisor.model = standard_is_asked(&supervisor.server) ? &standard_model
                                                             : model_find(supervisor.server.model);
    supervisor.count = supervisor.model->processes ? supervisor.server.workers : 1;
    limits_raise_files(&supervisor.files_before);
    descend_begin(&supervisor.descend);
    take_signals(&supervisor);
    int rc = prepare(&supervisor);
    if (rc < 0) {
        supervisor.status = rc == -EINVAL ? WEIR_EXIT_USAGE : WEIR_EXIT_FAILED;
    } else {
        (void)start_workers(&supervisor);
        run(&supervisor);
        end_helpers(&supervisor);
        news_pass_on(supervisor.news[0], &supervisor.server);
    }
    release(&supervisor);
    give_signals_back(&supervisor);
    descend_end(&supervisor.descend);
    limits_restore_files(&supervisor.files_before);
    return supervisor.status;
}
