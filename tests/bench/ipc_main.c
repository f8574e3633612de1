/*
 * ipc_main.c: the half of the IPC benchmark that is the same for all. Prints one JSON object: messages a second, or microseconds a
 * round trip; and the CPU time of both processes together for one, which other work on the machine disturbs less.
 *
 *     ipc_NAME pipe|unix|tcp|shm BYTES one-way|framed|round-trip sleep|spin same|across SECONDS PATH
 */
#define _GNU_SOURCE
#include "ipc.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_S 0.01

uint8_t block[1 << 20];

void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

void pin_to(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        give_up("sched_setaffinity");
}

static double read_s(clockid_t clock)
{
    struct timespec ts = {0};
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Between two looks at the clock. */
static unsigned batch_of(const struct job *job)
{
    if (job->trips)
        return 20;
    return job->framed ? 2000 : job->bytes >= 65536 ? 4 : 64;
}

static _Noreturn void child(const struct job *job, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    pin_to(job->same ? 0 : 1);
    contender_take(job, true);
    for (;;) {
        if (job->trips) {
            contender_receive(job, 1);
            contender_send(job, 1);
        } else {
            contender_send(job, batch_of(job));
        }
    }
}

struct result {
    double per_s;  /* messages, in the steady state */
    double cpu_us; /* a message, of both processes */
};

static struct result measure(const struct job *job, pid_t pid, double seconds)
{
    unsigned batch = batch_of(job);
    uint64_t count = 0;
    clockid_t child_clock;
    if (clock_getcpuclockid(pid, &child_clock) != 0)
        give_up("clock_getcpuclockid");
    double cpu = read_s(CLOCK_PROCESS_CPUTIME_ID) + read_s(child_clock);
    double start = read_s(CLOCK_MONOTONIC), end = start;
    while ((end = read_s(CLOCK_MONOTONIC)) - start < seconds) {
        for (unsigned i = 0; job->trips && i < batch; i++) {
            contender_send(job, 1);
            contender_receive(job, 1);
        }
        if (!job->trips)
            contender_receive(job, batch);
        count += batch;
    }
    cpu = read_s(CLOCK_PROCESS_CPUTIME_ID) + read_s(child_clock) - cpu;
    return (struct result){(double)count / (end - start), cpu * 1e6 / (double)count};
}

static void read_job(char **argv, struct job *out)
{
    static const char *const names[] = {"pipe", "unix", "tcp", "shm"};
    unsigned i = 0;
    while (i < 4 && strcmp(argv[1], names[i]) != 0)
        i++;
    out->transport = (enum transport)i;
    out->bytes = (size_t)atol(argv[2]);
    out->framed = strcmp(argv[3], "framed") == 0;
    out->trips = strcmp(argv[3], "round-trip") == 0;
    out->spin = strcmp(argv[4], "spin") == 0;
    out->same = strcmp(argv[5], "same") == 0;
    out->seconds = atof(argv[6]);
    snprintf(out->path, sizeof(out->path), "%s", argv[7]);
    errno = EINVAL;
    if (i == 4 || out->bytes == 0 || out->bytes > sizeof(block))
        give_up(argv[1]);
}

int main(int argc, char **argv)
{
    struct job job = {0};
    if (argc != 8)
        return 2;
    read_job(argv, &job);
    memset(block, 7, sizeof(block));
    contender_prepare(&job);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        give_up("fork");
    if (pid == 0)
        child(&job, parent);
    pin_to(0);
    contender_take(&job, false);
    measure(&job, pid, WARM_UP_S);
    struct result r = measure(&job, pid, job.seconds);
    if (job.trips)
        printf("{\"us\": %.4f, \"cpu_us\": %.5f}\n", 1e6 / r.per_s, r.cpu_us);
    else
        printf("{\"per_s\": %.1f, \"gb_s\": %.4f, \"cpu_us\": %.5f}\n", r.per_s,
               r.per_s * (double)job.bytes / 1e9, r.cpu_us);
    fflush(stdout);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    _exit(0);
}
