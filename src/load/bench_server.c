#include "load/bench_server.h"

#include "stream/wait.h"
#include "tbl/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_S 3

/* --- the child --- */

static void report(void *arg, enum weir_report kind, const char *text)
{
    const int *ready = arg;
    char line[600];
    if (kind != WEIR_REPORT_READY && kind != WEIR_REPORT_ERROR)
        return;
    int len = snprintf(line, sizeof(line), "%c%s\n", kind == WEIR_REPORT_READY ? '+' : '-', text);
    if (len > 0)
        (void)!write(*ready, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

static _Noreturn void be_server(const struct weir_service *service, const char *model,
                                unsigned max_connections, int ready, pid_t parent)
{
    const char *listen = "tcp:127.0.0.1:0";
    struct weir_server server = {.service = service,
                                 .listen = &listen,
                                 .listen_count = 1,
                                 .model = model,
                                 .max_connections = max_connections,
                                 .grace_s = GRACE_S,
                                 .report = report,
                                 .report_arg = &ready};
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL); /* bench_run() holds some back */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    _exit(weir_server_run(&server));
}

/* --- its start and end --- */

/* "+tcp:127.0.0.1:43117": ready. */
static int read_ready(int fd, char *endpoint, size_t size)
{
    char line[600];
    size_t len = 0;
    uint64_t deadline = deadline_in(LIMIT_BENCH_START_MS);
    while (len == 0 || line[len - 1] != '\n') {
        int rc = wait_fd(fd, POLLIN, deadline);
        ssize_t n = rc < 0 ? 0 : read(fd, line + len, sizeof(line) - 1 - len);
        if (rc < 0)
            return rc;
        if (n <= 0)
            return -EPROTO;
        len += (size_t)n;
    }
    line[len] = '\0';
    if (line[0] != '+')
        return -EPROTO;
    snprintf(endpoint, size, "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
    return 0;
}

int bench_server_start(struct bench_server *server, const struct weir_service *service,
                       const char *model, unsigned max_connections)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL); /* what is buffered would be written twice */
    server->pid = fork();
    if (server->pid == 0)
        be_server(service, model, max_connections, ends[1], parent);
    int rc = server->pid < 0 ? -errno : 0;
    close(ends[1]);
    server->pidfd = server->pid > 0 ? pidfd_open(server->pid, 0) : -1;
    if (rc == 0)
        rc = read_ready(ends[0], server->endpoint, sizeof(server->endpoint));
    close(ends[0]);
    if (rc < 0 && server->pid > 0)
        (void)bench_server_stop(server);
    return rc;
}

double bench_server_stop(struct bench_server *server)
{
    struct rusage usage = {0};
    kill(server->pid, SIGTERM);
    if (server->pidfd < 0 || wait_fd(server->pidfd, POLLIN, deadline_in(LIMIT_BENCH_STOP_MS)) < 0)
        kill(server->pid, SIGKILL);
    while (wait4(server->pid, NULL, 0, &usage) < 0 && errno == EINTR)
        ;
    if (server->pidfd >= 0)
        close(server->pidfd);
    server->pidfd = -1;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* --- its memory --- */

struct process {
    pid_t pid, parent;
    bool ours;
};

static pid_t parent_of(pid_t pid)
{
    char path[40], line[300];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    char *read = fgets(line, sizeof(line), f);
    fclose(f);
    const char *name_end = read ? strrchr(line, ')') : NULL;
    return name_end && strlen(name_end) > 4 ? (pid_t)strtol(name_end + 4, NULL, 10) : -1;
}

static unsigned list_processes(struct process *list, unsigned max)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    while (folder && count < max && (entry = readdir(folder))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0)
            list[count++] = (struct process){.pid = pid, .parent = parent_of(pid)};
    }
    if (folder)
        closedir(folder);
    return count;
}

static bool is_ours(const struct process *list, unsigned count, pid_t pid)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i].ours && list[i].pid == pid)
            return true;
    return false;
}

/* The supervisor, its workers, their children: as many rounds as there are generations. */
static void mark_tree(struct process *list, unsigned count, pid_t root)
{
    bool more = true;
    for (unsigned i = 0; i < count; i++)
        list[i].ours = list[i].pid == root;
    while (more) {
        more = false;
        for (unsigned i = 0; i < count; i++) {
            if (!list[i].ours && is_ours(list, count, list[i].parent))
                more = list[i].ours = true;
        }
    }
}

static uint64_t pss_of(pid_t pid)
{
    char path[48], line[200];
    unsigned long long kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "Pss: %llu kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib * 1024;
}

uint64_t bench_server_memory(const struct bench_server *server)
{
    struct process *list = calloc(LIMIT_BENCH_PROCESSES, sizeof(*list));
    uint64_t sum = 0;
    if (!list)
        return 0;
    unsigned count = list_processes(list, LIMIT_BENCH_PROCESSES);
    mark_tree(list, count, server->pid);
    for (unsigned i = 0; i < count; i++)
        if (list[i].ours)
            sum += pss_of(list[i].pid);
    free(list);
    return sum;
}
