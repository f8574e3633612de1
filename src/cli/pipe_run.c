/* A pipeline from its start to its summary: signals, deadlines, the meter in between, and the exit status. */
#include "cli/pipe_run.h"

#include "cli/commands.h"
#include "stream/wait.h"

#include <weir/process.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_TIMED_OUT = 124, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* --- signals --- */

/* Those that stop a program, and where there is a meter on a terminal also those that concern it. */
static int open_signals(bool screen)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (screen) {
        sigaddset(&set, SIGTSTP);
        sigaddset(&set, SIGQUIT);
        sigaddset(&set, SIGWINCH);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* SIGTERM first, or whatever we were told to stop by; SIGKILL for those that are still there after the grace. */
static void ask_to_stop(struct pipe_run *r, int signal_number)
{
    (void)weir_pipeline_kill(r->pipeline, signal_number);
    (void)weir_pipeline_kill(r->pipeline, SIGCONT); /* one that was stopped could not act on it */
    if (r->phase != PIPE_RUNS)
        return;
    r->phase = PIPE_ASKED;
    r->deadline = deadline_now() + r->grace_ns;
}

/* The terminal has stopped the stages, which are of its foreground group as we are. */
static void stop_with_terminal(struct pipe_run *r)
{
    pipe_live_pause(&r->live);
    raise(SIGSTOP);
}

/* As by the signal: nothing is summed up, and there may be a core file. */
static void quit(struct pipe_run *r)
{
    sigset_t set;
    pipe_live_pause(&r->live);
    raise(SIGQUIT);
    sigemptyset(&set);
    sigaddset(&set, SIGQUIT);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void handle_signal(struct pipe_run *r, const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;
    switch (number) {
    case SIGINT:
        r->interrupted = info->ssi_code == SI_KERNEL;
        /* The keys of a terminal reach the stages by themselves, unless they have a group of their own. What they make of it is
         * theirs to say: a pager goes on. */
        if (!r->interrupted || r->options.new_group)
            (void)weir_pipeline_kill(r->pipeline, SIGINT);
        break;
    case SIGTSTP:
        stop_with_terminal(r);
        break;
    case SIGQUIT:
        quit(r);
        break;
    case SIGWINCH: /* the next frame looks at the size; it comes soon */
        break;
    default:
        r->stop_signal = number;
        ask_to_stop(r, number);
    }
}

static void take_signals(struct pipe_run *r)
{
    struct signalfd_siginfo info;
    while (read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        handle_signal(r, &info);
}

/* --- until all have ended --- */

static void pass_deadline(struct pipe_run *r)
{
    switch (r->phase) {
    case PIPE_RUNS:
        r->timed_out = true;
        ask_to_stop(r, SIGTERM);
        break;
    case PIPE_ASKED:
        (void)weir_pipeline_kill(r->pipeline, SIGKILL);
        r->phase = PIPE_KILLED;
        r->deadline = deadline_now() + LIMIT_KILLED_MS * WEIR_NS_PER_MS;
        break;
    default:
        r->phase = PIPE_GIVEN_UP; /* the kernel hangs, or a child they left holds what they wrote */
    }
}

/* Bytes are moved for a moment at a time, then signals and the meter get their turn. */
static int attend(struct pipe_run *r)
{
    while (r->phase != PIPE_GIVEN_UP) {
        struct pollfd fds[] = {{.fd = weir_pipeline_fd(r->pipeline), .events = POLLIN},
                               {.fd = r->signals, .events = POLLIN}};
        int rc = wait_fds(fds, 2, deadline_min(r->deadline, r->live.due_ns));
        if (rc < 0 && rc != -ETIMEDOUT)
            return rc;
        if (fds[1].revents && rc > 0)
            take_signals(r);
        if (fds[0].revents && rc > 0) {
            rc = weir_pipeline_wait(r->pipeline, r->options.meter ? LIMIT_PIPE_MOVE_MS : 0);
            if (rc != -ETIMEDOUT)
                return rc;
        }
        uint64_t now = deadline_now();
        if (now >= r->deadline)
            pass_deadline(r);
        pipe_live_show(&r->live, r->pipeline, r->commands, !r->values->bytes, now);
    }
    return 0;
}

/* --- what came of it --- */

static int status_of(const struct pipe_run *r)
{
    for (size_t i = r->count; i-- > 0;) {
        const struct weir_stage *s = &r->stages[i];
        if (s->status == 0 || (s->cut_off && !r->values->sigpipe_fails))
            continue;
        return s->status < 0                ? 1
               : s->status < WEIR_SIGNALLED ? s->status
                                            : 128 + s->status - WEIR_SIGNALLED;
    }
    return 0;
}

static int exit_status(const struct pipe_run *r)
{
    if (r->timed_out)
        return EXIT_TIMED_OUT;
    int status = status_of(r);
    return status == 0 && r->stop_signal ? 128 + r->stop_signal : status;
}

static void print_report(const struct pipe_run *r, const struct pipe_end *end, FILE *f)
{
    if (r->values->json)
        pipe_report_json(f, end);
    else
        pipe_report_text(f, end);
}

/* In one piece: what the stages have left behind may write there, too. */
static void say_report(const struct pipe_run *r, const struct pipe_end *end)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return;
    print_report(r, end, f);
    if (fclose(f) == 0)
        fwrite(text, 1, len, stderr);
    free(text);
}

static int write_report(const struct pipe_run *r, const struct pipe_end *end)
{
    FILE *f = fopen(r->values->report, "we");
    if (f)
        print_report(r, end, f);
    bool failed = !f || ferror(f);
    if ((f && fclose(f) != 0) || failed) {
        complain(&command_pipe, "cannot write %s: %s", r->values->report, strerrordesc_np(errno));
        return 1;
    }
    return 0;
}

/* With --quiet, what would have been in the summary: one line for the stage whose status it is. */
static void say_failure(const struct pipe_run *r, int status)
{
    char label[PIPE_WORDS_SIZE], how[PIPE_WORDS_SIZE];
    if (r->timed_out)
        complain(&command_pipe, "not done after %s, stopped", r->values->timeout);
    if (r->timed_out || status == 0)
        return;
    for (size_t i = r->count; i-- > 0;) {
        const struct weir_stage *s = &r->stages[i];
        if (s->status == 0 || (s->cut_off && !r->values->sigpipe_fails))
            continue;
        complain(&command_pipe, "stage %zu, '%s', %s", i + 1,
                 pipe_label(r->commands[i], PIPE_LABEL, label), pipe_ended(s, how));
        return;
    }
}

static int tell(struct pipe_run *r)
{
    bool metered = r->options.meter != WEIR_METER_NONE;
    for (size_t i = 0; i < r->count; i++)
        r->stages[i] = weir_pipeline_stage(r->pipeline, i);
    for (size_t i = 0; i + 1 < r->count; i++)
        r->joints[i] = weir_pipeline_joint(r->pipeline, i);
    const struct pipe_end end = {.sight = {.count = r->count,
                                           .commands = r->commands,
                                           .stages = r->stages,
                                           .joints = metered ? r->joints : NULL,
                                           .lines = !r->values->bytes,
                                           .ns = deadline_now() - r->start_ns},
                                 .status = exit_status(r),
                                 .timed_out = r->timed_out,
                                 .signal_number = r->stop_signal};
    int status = end.status;
    if (r->values->report)
        return write_report(r, &end) != 0 && status == 0 ? 1 : status;
    if (r->values->json || !r->values->quiet)
        say_report(r, &end);
    else
        say_failure(r, status);
    return status;
}

static int complain_start(const struct pipe_run *r, int rc, size_t failed)
{
    char label[PIPE_WORDS_SIZE];
    if (failed == r->count) {
        complain(&command_pipe, "cannot start %zu stages: %s%s", r->count, strerrordesc_np(-rc),
                 rc == -EMFILE ? " (raise `ulimit -n`)" : "");
        return 1;
    }
    complain(&command_pipe, "cannot start stage %zu, '%s': %s%s", failed + 1,
             pipe_label(r->commands[failed], PIPE_LABEL, label), strerrordesc_np(-rc),
             rc == -ENOENT ? " (words are split, there is no shell: for its commands, sh -c '...')"
             : rc == -ENOEXEC ? " (a script begins with #! and its interpreter)"
             : rc == -EMFILE  ? " (raise `ulimit -n`)"
                              : "");
    if (rc == -EMFILE || rc == -ENFILE || rc == -EAGAIN || rc == -ENOMEM)
        return 1;
    return rc == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int pipe_run(struct pipe_run *r)
{
    size_t failed;
    r->signals = open_signals(r->show == PIPE_SHOW_SCREEN);
    if (r->signals < 0) {
        complain(&command_pipe, "cannot wait for signals: %s", strerrordesc_np(-r->signals));
        return 1;
    }
    r->start_ns = deadline_now();
    r->deadline = r->timeout_ns ? r->start_ns + r->timeout_ns : DEADLINE_NEVER;
    int rc = weir_pipeline_words(r->commands, r->count, &r->options, &r->pipeline, &failed);
    if (rc < 0) {
        close(r->signals);
        return complain_start(r, rc, failed);
    }
    pipe_live_begin(&r->live, r->show, r->start_ns);
    rc = attend(r);
    pipe_live_pause(&r->live);
    if (r->interrupted && isatty(STDERR_FILENO))
        fputc('\n', stderr);
    if (rc < 0)
        complain(&command_pipe, "cannot go on: %s", strerrordesc_np(-rc));
    int status = rc < 0 ? 1 : tell(r);
    weir_pipeline_free(r->pipeline);
    close(r->signals);
    return status;
}
