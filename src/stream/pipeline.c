/* Starting and freeing. A stage gets its ends of the pipes and nothing else; ours are closed as soon as it has them. */
#include "stream/pipeline_impl.h"
#include "stream/value.h"
#include "stream/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Standard streams that are closed here become /dev/null there; a pipe of ours may soon have their number. */
static void choose_ends(const struct weir_pipeline_options *o, int ends[3])
{
    for (int i = 0; i < 3; i++)
        ends[i] = o && o->ends ? o->ends[i] : fd_is_open(i) ? i : -1;
}

/* A power of two, so that all pipes of a long pipeline together stay well below what one user may have. */
static size_t choose_size(size_t wanted, size_t pipes)
{
    size_t size = LIMIT_PIPELINE_PIPE_BYTES;
    if (wanted > 0)
        return wanted < size ? wanted : size;
    while (size > LIMIT_MOVE_BYTES && size * pipes > LIMIT_PIPELINE_PIPES_BYTES)
        size /= 2;
    return size;
}

int pipeline_watch(struct weir_pipeline *p, int op, int fd, uint32_t events,
                   enum pipeline_event event, size_t index)
{
    struct epoll_event e = {.events = events, .data.u64 = (uint64_t)event << 32 | index};
    return epoll_ctl(p->epoll, op, fd, &e) < 0 ? -errno : 0;
}

static int open_timer(struct weir_pipeline *p)
{
    const long ns = LIMIT_PIPELINE_LOOK_MS * 1000000l;
    const struct itimerspec every = {{0, ns}, {0, ns}};
    p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (p->timer < 0 || timerfd_settime(p->timer, 0, &every, NULL) < 0)
        return -errno;
    p->looked_ns = deadline_now();
    return pipeline_watch(p, EPOLL_CTL_ADD, p->timer, EPOLLIN, EVENT_TIMER, 0);
}

/* On failure what was made is left to weir_pipeline_free(). */
static int init(struct weir_pipeline *p, size_t count, const struct weir_pipeline_options *o)
{
    p->epoll = p->timer = -1;
    p->meter = o ? o->meter : WEIR_METER_NONE;
    p->pipe_bytes =
        choose_size(o ? o->pipe_bytes : 0, p->meter == WEIR_METER_NONE ? count : 2 * count);
    p->stages = calloc(count, sizeof(*p->stages));
    p->joints = calloc(count, sizeof(*p->joints));
    if (p->meter == WEIR_METER_LINES)
        p->buffer = malloc(LIMIT_MOVE_BYTES);
    if (!p->stages || !p->joints || (p->meter == WEIR_METER_LINES && !p->buffer))
        return -ENOMEM;
    p->count = count;
    for (size_t i = 0; i < count; i++) {
        p->stages[i].look = -1;
        p->joints[i].from = p->joints[i].to = -1;
    }
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll < 0)
        return -errno;
    return p->meter == WEIR_METER_NONE ? 0 : open_timer(p);
}

/* A descriptor that neither reads nor writes: it keeps no pipe open for anybody. */
static int open_look(int fd)
{
    char path[40];
    if (fd < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_PATH | O_CLOEXEC);
}

static int start_stage(struct weir_pipeline *p, const char *const *argv,
                       const struct weir_pipeline_options *o, const int ends[3])
{
    struct stage *stage = &p->stages[p->started];
    const struct weir_fd_map map[] = {{ends[0], 0}, {ends[1], 1}, {ends[2], 2}};
    const struct weir_process_options options = {.map = map,
                                                 .map_count = 3,
                                                 .env = o ? o->env : NULL,
                                                 .dir = o ? o->dir : NULL,
                                                 .new_group = o && o->new_group,
                                                 .group = p->group,
                                                 .die_signal = o ? o->die_signal : 0};
    stage->start_ns = deadline_now();
    int rc = weir_process_start(argv, &options, &stage->process);
    if (rc < 0)
        return rc;
    if (o && o->new_group && p->started == 0)
        p->group = weir_process_pid(stage->process);
    /* Where we sit between, we know when its reader goes. */
    if (p->meter == WEIR_METER_NONE || p->started + 1 == p->count)
        stage->look = open_look(ends[1]);
    stage->status = STAGE_RUNS;
    p->running++;
    return pipeline_watch(p, EPOLL_CTL_ADD, weir_process_fd(stage->process), EPOLLIN, EVENT_STAGE,
                          p->started++);
}

/* *in is what the stage before it writes to; afterwards, what this one does. */
static int start_joined(struct weir_pipeline *p, const char *const *argv,
                        const struct weir_pipeline_options *o, const int ends[3], int *in)
{
    size_t at = p->started;
    bool last = at + 1 == p->count;
    int out = -1, next = -1;
    int rc = last ? 0 : joint_open(p, at, &out, &next);
    if (rc == 0)
        rc = start_stage(p, argv, o,
                         (const int[]){at == 0 ? ends[0] : *in, last ? ends[1] : out, ends[2]});
    if (out >= 0)
        close(out);
    if (*in >= 0)
        close(*in);
    *in = next;
    return rc;
}

static int start_all(struct weir_pipeline *p, const char *const *const *stages,
                     const struct weir_pipeline_options *o)
{
    int ends[3];
    int in = -1;
    int rc = 0;
    choose_ends(o, ends);
    while (rc == 0 && p->started < p->count)
        rc = start_joined(p, stages[p->started], o, ends, &in);
    if (in >= 0)
        close(in);
    return rc;
}

static int fail(int rc, size_t index, size_t *out_failed)
{
    if (out_failed)
        *out_failed = index;
    return rc;
}

WEIR_API int weir_pipeline_start(const char *const *const *stages, size_t count,
                                 const struct weir_pipeline_options *options,
                                 struct weir_pipeline **out, size_t *out_failed)
{
    if (count == 0 || count > LIMIT_PIPELINE_STAGES)
        return fail(-EINVAL, count, out_failed);
    struct weir_pipeline *p = calloc(1, sizeof(*p));
    if (!p)
        return fail(-ENOMEM, count, out_failed);
    size_t failed = count;
    int rc = init(p, count, options);
    if (rc == 0) {
        rc = start_all(p, stages, options);
        failed = p->started;
    }
    if (rc < 0) {
        weir_pipeline_free(p);
        return fail(rc, failed, out_failed);
    }
    *out = p;
    return 0;
}

static void free_words(char ***words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    free(words);
}

WEIR_API int weir_pipeline_words(const char *const *commands, size_t count,
                                 const struct weir_pipeline_options *options,
                                 struct weir_pipeline **out, size_t *out_failed)
{
    if (count == 0 || count > LIMIT_PIPELINE_STAGES)
        return fail(-EINVAL, count, out_failed);
    char ***words = calloc(count, sizeof(*words));
    if (!words)
        return fail(-ENOMEM, count, out_failed);
    int rc = 0;
    size_t split = 0;
    for (; split < count && rc == 0; split += rc == 0)
        rc = weir_words(commands[split], &words[split]);
    if (rc < 0)
        fail(rc, rc == -EINVAL ? split : count, out_failed);
    else
        rc =
            weir_pipeline_start((const char *const *const *)words, count, options, out, out_failed);
    free_words(words, split);
    return rc;
}

WEIR_API void weir_pipeline_free(struct weir_pipeline *p)
{
    if (!p)
        return;
    if (p->running > 0)
        (void)weir_pipeline_kill(p, SIGKILL);
    for (size_t i = 0; i < p->count; i++) {
        weir_process_free(p->stages[i].process);
        if (p->stages[i].look >= 0)
            close(p->stages[i].look);
        joint_close(&p->joints[i]);
    }
    if (p->timer >= 0)
        close(p->timer);
    if (p->epoll >= 0)
        close(p->epoll);
    free(p->buffer);
    free(p->joints);
    free(p->stages);
    free(p);
}
