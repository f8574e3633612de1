#include "model/descend.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>

/* Calls `see` for each child of each thread of this process (proc(5), /proc/PID/task/TID/children). */
static void each_child(void (*see)(void *arg, pid_t), void *arg)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    while (tasks && (task = readdir(tasks))) {
        char path[300];
        snprintf(path, sizeof(path), "/proc/self/task/%s/children", task->d_name);
        FILE *children = task->d_name[0] == '.' ? NULL : fopen(path, "re");
        int pid;
        while (children && fscanf(children, "%d", &pid) == 1)
            see(arg, (pid_t)pid);
        if (children)
            fclose(children);
    }
    if (tasks)
        closedir(tasks);
}

static void remember(void *arg, pid_t pid)
{
    struct descend *descend = arg;
    if (descend->count < DESCEND_MAX)
        descend->at[descend->count++] = pid;
}

void descend_begin(struct descend *descend)
{
    *descend = (struct descend){0};
    each_child(remember, descend);
    prctl(PR_GET_CHILD_SUBREAPER, &descend->subreaper_before);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

struct hunt {
    const struct descend *descend;
    unsigned count;
};

static void kill_new(void *arg, pid_t pid)
{
    struct hunt *hunt = arg;
    for (unsigned i = 0; i < DESCEND_SPARED; i++)
        if (hunt->descend->spared[i] == pid)
            return;
    for (unsigned i = 0; i < hunt->descend->count; i++)
        if (hunt->descend->at[i] == pid)
            return;
    if (kill(pid, SIGKILL) == 0)
        hunt->count++;
}

unsigned descend_kill(const struct descend *descend)
{
    if (descend->count == DESCEND_MAX)
        return 0; /* not all are known: better leave one than kill another's */
    struct hunt hunt = {.descend = descend};
    each_child(kill_new, &hunt);
    return hunt.count;
}

void descend_end(const struct descend *descend)
{
    prctl(PR_SET_CHILD_SUBREAPER, descend->subreaper_before);
}
