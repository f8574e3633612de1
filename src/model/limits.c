#include "model/limits.h"

#include "tbl/limits.h"

#include <sched.h>

static rlim_t files_wanted(const struct rlimit *limit)
{
    return limit->rlim_max < LIMIT_FILES_MAX ? limit->rlim_max : LIMIT_FILES_MAX;
}

void limits_raise_files(struct rlimit *out_before)
{
    if (getrlimit(RLIMIT_NOFILE, out_before) < 0)
        *out_before = (struct rlimit){0};
    struct rlimit raised = *out_before;
    raised.rlim_cur = files_wanted(&raised);
    if (raised.rlim_cur > out_before->rlim_cur)
        (void)setrlimit(RLIMIT_NOFILE, &raised); /* else with what there is */
}

void limits_restore_files(const struct rlimit *before)
{
    if (before->rlim_max > 0)
        (void)setrlimit(RLIMIT_NOFILE, before);
}

unsigned limits_connections(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return LIMIT_FILES_KEPT;
    rlim_t files = files_wanted(&limit);
    files = files > limit.rlim_cur ? files : limit.rlim_cur;
    if (files <= 2 * LIMIT_FILES_KEPT)
        return (unsigned)(files / 4 > 0 ? files / 4 : 1); /* hardly any: one for each file, too */
    rlim_t places = (files - LIMIT_FILES_KEPT) / 4 * 3;
    return places < LIMIT_CONNECTIONS ? (unsigned)places : LIMIT_CONNECTIONS;
}

unsigned limits_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}
