/* What machines ask of a driver, without a kernel. */
#include "drive/sim_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim_end *find_peer(struct sim *sim, const char *name)
{
    for (struct sim_end *end = sim->ends; end; end = end->next)
        if (end->name && !end->bound && strcmp(end->name, name) == 0)
            return end;
    return NULL;
}

static struct weir_conn *ops_adopt(struct weir_driver *driver, struct weir_stream *stream,
                                   const struct weir_protocol *protocol, const void *config)
{
    (void)driver;
    struct sim_end *end = (struct sim_end *)stream;
    return sim_bind(end, protocol, config) ? end->conn : NULL;
}

static struct weir_conn *ops_dial(struct weir_driver *driver, const char *endpoint,
                                  const struct weir_protocol *protocol, const void *config)
{
    struct sim *sim = (struct sim *)driver;
    struct sim_end *end = find_peer(sim, endpoint);
    bool found = end != NULL;
    if (!found)
        end = sim_end_new(sim, NULL);
    if (!end || !sim_bind(end, protocol, config))
        return NULL;
    if (!found)
        weir_conn_finish(end->conn, -ECONNREFUSED); /* before its first turn: not opened, closed */
    return end->conn;
}

static int spawn_ends(struct sim *sim, const struct weir_spawn *spawn, struct weir_conn *out[3])
{
    for (int i = 0; i < 3; i++) {
        if (!spawn->protocol[i])
            continue;
        char name[64];
        snprintf(name, sizeof(name), "%d:%s", i, spawn->argv[0]);
        struct sim_end *end = find_peer(sim, name);
        if (!end)
            return -ENOENT;
        if (!sim_bind(end, spawn->protocol[i], spawn->config[i]))
            return -ENOMEM;
        out[i] = end->conn;
    }
    return 0;
}

static int ops_spawn(struct weir_driver *driver, const struct weir_spawn *spawn,
                     struct weir_conn *out_ends[3])
{
    struct sim *sim = (struct sim *)driver;
    struct weir_conn *ends[3] = {NULL, NULL, NULL};
    struct sim_child *child = calloc(1, sizeof(*child));
    if (!child)
        return -ENOMEM;
    int rc = spawn_ends(sim, spawn, ends);
    if (rc < 0) {
        for (int i = 0; i < 3; i++)
            if (ends[i])
                weir_conn_finish(ends[i], rc);
        free(child);
        return rc;
    }
    *child = (struct sim_child){.next = sim->children,
                                .argv0 = spawn->argv[0],
                                .ended = spawn->ended,
                                .arg = spawn->arg,
                                .pid = ++sim->pid_last};
    sim->children = child;
    memcpy(out_ends, ends, sizeof(ends));
    return child->pid;
}

void sim_child_ended(struct sim *sim, const char *argv0, int status)
{
    for (struct sim_child **at = &sim->children; *at;) {
        struct sim_child *child = *at;
        if (strcmp(child->argv0, argv0) != 0) {
            at = &child->next;
            continue;
        }
        *at = child->next;
        if (child->ended)
            child->ended(child->arg, status);
        free(child);
        at = &sim->children; /* ended() may have started others */
    }
}

static int ops_submit(struct weir_driver *driver, struct weir_job *job)
{
    struct sim *sim = (struct sim *)driver;
    if (sim->job_count >= LIMIT_JOB_QUEUE)
        return -EAGAIN;
    if (sim->job_count++ == 0)
        sim->job_wait = sim->options.job_rounds;
    job->next = NULL;
    *sim->jobs_tail = job;
    sim->jobs_tail = &job->next;
    return 0;
}

static struct weir_job *first_job(struct sim *sim)
{
    struct weir_job *job = sim->jobs;
    sim->jobs = job->next;
    if (!sim->jobs)
        sim->jobs_tail = &sim->jobs;
    sim->job_count--;
    sim->job_wait = sim->options.job_rounds;
    return job;
}

bool sim_jobs_round(struct sim *sim)
{
    if (!sim->jobs)
        return false;
    if (sim->job_wait > 0) {
        sim->job_wait--;
        return true;
    }
    struct weir_job *job = first_job(sim);
    job->work(job);
    job->done(job);
    return true;
}

void sim_jobs_cancel(struct sim *sim)
{
    while (sim->jobs) {
        struct weir_job *job = first_job(sim);
        job->cancelled = true;
        job->done(job);
    }
}

int sim_file(struct sim *sim, const void *bytes, size_t len)
{
    if (sim->file_count == LIMIT_SIM_FILES)
        return -EMFILE;
    sim->files[sim->file_count] = (struct sim_file){.bytes = bytes, .len = len};
    return SIM_FD_FIRST + (int)sim->file_count++;
}

struct sim_file *sim_file_of(struct sim *sim, int fd)
{
    if (fd < SIM_FD_FIRST || (unsigned)(fd - SIM_FD_FIRST) >= sim->file_count)
        return NULL;
    return &sim->files[fd - SIM_FD_FIRST];
}

static struct sim_end *end_of(struct weir_conn *conn)
{
    for (struct weir_conn *outer; (outer = weir_conn_outer(conn));)
        conn = outer;
    return weir_conn_slot(conn);
}

static int ops_fill(struct weir_driver *driver, struct weir_conn *conn,
                    const struct weir_span *span, struct weir_out *out, size_t max, size_t *out_len)
{
    struct sim *sim = (struct sim *)driver;
    struct sim_file *file = sim_file_of(sim, span->fd);
    if (!file || span->offset >= file->len)
        return -EIO;
    if (file->waited < sim->options.fill_waits || sim_fault(sim, 4)) {
        file->waited++;
        end_of(conn)->wake_rounds = 2;
        return WEIR_FILL_WAIT;
    }
    size_t n = span->len < max ? span->len : max;
    if (n > file->len - span->offset)
        n = file->len - span->offset;
    if (sim_fault(sim, 2))
        n = sim_size(sim, n);
    weir_out_copy(out, file->bytes + span->offset, n);
    *out_len = n;
    return WEIR_FILL_MORE;
}

static void ops_wake(struct weir_driver *driver, struct weir_conn *conn)
{
    (void)driver;
    struct sim_end *end = weir_conn_slot(conn);
    if (end)
        end->ready = true;
}

static int ops_random(struct weir_driver *driver, void *bytes, size_t len)
{
    struct sim *sim = (struct sim *)driver;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)sim_random(&sim->secret);
    return 0;
}

static int ops_peer(struct weir_driver *driver, struct weir_conn *conn, char *text, size_t size,
                    unsigned *out_port)
{
    (void)driver;
    (void)conn;
    snprintf(text, size, "192.0.2.1");
    *out_port = 40000;
    return 0;
}

const struct weir_driver_ops sim_ops = {
    .name = "sim",
    .adopt = ops_adopt,
    .dial = ops_dial,
    .spawn = ops_spawn,
    .submit = ops_submit,
    .fill = ops_fill,
    .wake = ops_wake,
    .random = ops_random,
    .peer = ops_peer,
};
