/* The program: how it is started, its three pipes as companions, and its end, whoever comes first. */
#include "base/bytes.h"
#include "base/text.h"
#include "http/exchange.h"
#include "service/cgi_talk.h"
#include "service/places.h"
#include "tbl/limits.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void talk_free(struct weir_ref *ref)
{
    struct talk *talk = (struct talk *)ref;
    if (talk->program.folder >= 0)
        close(talk->program.folder);
    if (talk->spool >= 0)
        close(talk->spool);
    out_done(&talk->staged);
    free(talk->redirect);
    free(talk);
}

struct talk *talk_new(struct weir_exchange *x, struct weir_bytes path,
                      const struct program *program)
{
    struct talk *talk = calloc(1, sizeof(*talk) + path.len + 1);
    if (!talk)
        return NULL;
    talk->ref = (struct weir_ref){1, talk_free};
    talk->x = x;
    talk->cgi = weir_exchange_config(x);
    talk->driver = weir_exchange_driver(x);
    talk->program = *program;
    talk->place = talk->spool = -1;
    talk->promised = WEIR_LENGTH_UNKNOWN;
    talk->moved_ns = talk->client_ns = talk->driver->now.mono_ns;
    memcpy(talk->text, path.at, path.len);
    talk->path = (struct weir_bytes){talk->text, path.len};
    talk->raw = strncmp(talk->text + program->name_at, "nph-", 4) == 0;
    talk->log.program = (struct weir_bytes){talk->text, program->name_end};
    talk->log.driver = talk->driver;
    weir_request_id(x, talk->log.id);
    out_init(&talk->staged, talk->driver->pool);
    return talk;
}

void talk_signal(struct talk *talk, int signal_number)
{
    if (talk->pid > 0) /* not reaped: the group's number is still its own */
        kill(-talk->pid, signal_number);
}

static uint64_t later(const struct talk *talk, uint64_t ms)
{
    return talk->driver->now.mono_ns + ms * WEIR_NS_PER_MS;
}

/* First asked to end, then made to. */
static void tell_to_end(struct talk *talk)
{
    talk_signal(talk, talk->told ? SIGKILL : SIGTERM);
    talk->told = true;
    if (talk->end[CGI_ERR])
        weir_conn_arm(talk->end[CGI_ERR], later(talk, LIMIT_CGI_KILL_MS));
}

void talk_quit(struct talk *talk)
{
    if (talk->pid > 0 && !talk->told)
        tell_to_end(talk);
}

static void finish_end(struct talk *talk, int which)
{
    if (talk->end[which])
        weir_conn_abort(talk->end[which], WEIR_DONE);
}

/* Its standard error stays open to the last, and keeps the time: the program's way out is bounded by it. */
void talk_leave(struct talk *talk)
{
    if (talk->x)
        return;
    finish_end(talk, CGI_IN);
    if (talk->paused && talk->end[CGI_OUT]) { /* what else it says is thrown away */
        talk->paused = false;
        weir_conn_resume(talk->end[CGI_OUT]);
    }
    if (talk->pid == 0) {
        finish_end(talk, CGI_OUT);
        if (talk->err_ended)
            finish_end(talk, CGI_ERR);
        else if (talk->end[CGI_ERR])
            weir_conn_arm(talk->end[CGI_ERR], later(talk, LIMIT_CGI_KILL_MS));
        return;
    }
    if (talk->bad || !talk->end[CGI_ERR])
        tell_to_end(talk);
    else if (!talk->told)
        weir_conn_arm(talk->end[CGI_ERR], later(talk, LIMIT_CGI_AFTER_MS));
}

static struct talk *talk_of(const struct weir_conn *conn)
{
    return (struct talk *)(uintptr_t)weir_conn_config(conn);
}

/* A pipe is closed. One that never got as far as talk->end belongs to a start that failed. */
static struct talk *close_end(struct weir_conn *conn, int which)
{
    struct talk *talk = talk_of(conn);
    if (talk->end[which] != conn)
        return NULL;
    talk->end[which] = NULL;
    return talk;
}

/* --- standard input: what take() has queued --- */

/* There is room. */
static int in_output(void *state, struct weir_conn *conn)
{
    struct talk *talk = talk_of(conn);
    (void)state;
    if (talk->held && talk->x) {
        talk->held = false;
        weir_exchange_wake(talk->x);
    }
    return 0;
}

static int in_eof(void *state, struct weir_conn *conn, size_t rest)
{
    (void)state;
    (void)rest;
    weir_conn_finish(conn, WEIR_DONE);
    return 0;
}

static void in_close(void *state, struct weir_conn *conn, int why)
{
    struct talk *talk = close_end(conn, CGI_IN);
    (void)state;
    (void)why;
    if (!talk)
        return;
    if (talk->held && talk->x) {
        talk->held = false;
        weir_exchange_wake(talk->x);
    }
    weir_drop(&talk->ref);
}

static const struct weir_protocol in_protocol = {
    .name = "cgi-in", .input_max = 1, .output = in_output, .eof = in_eof, .close = in_close};

/* --- standard output --- */

static ssize_t out_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct talk *talk = talk_of(conn);
    (void)state;
    talk->moved_ns = talk->driver->now.mono_ns;
    size_t used = answer_take(talk, (const char *)bytes, len);
    if (talk->x && !weir_out_room(&talk->staged)) {
        talk->paused = true;
        weir_conn_pause(conn);
    }
    return (ssize_t)used;
}

static int out_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct talk *talk = talk_of(conn);
    (void)state;
    (void)rest;
    weir_conn_finish(conn, WEIR_DONE);
    talk->spoke_all = true;
    answer_end(talk, true);
    return 0;
}

static void out_close(void *state, struct weir_conn *conn, int why)
{
    struct talk *talk = close_end(conn, CGI_OUT);
    (void)state;
    if (!talk)
        return;
    if (why == -EMSGSIZE)
        answer_fail(talk, 502, "the head of its answer is too long");
    else if (!talk->spoke_all)
        answer_fail(talk, 502, "its answer cannot be read");
    weir_drop(&talk->ref);
}

static const struct weir_protocol out_protocol = {.name = "cgi-out",
                                                  .input_max = LIMIT_CGI_HEAD,
                                                  .input = out_input,
                                                  .eof = out_eof,
                                                  .close = out_close};

/* --- standard error, and time once the exchange is over --- */

static ssize_t err_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    cgi_log_take(&talk_of(conn)->log, (const char *)bytes, len);
    return (ssize_t)len;
}

static int err_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct talk *talk = talk_of(conn);
    (void)state;
    (void)rest;
    cgi_log_end(&talk->log);
    talk->err_ended = true;
    if (!talk->x && talk->pid == 0)
        weir_conn_finish(conn, WEIR_DONE);
    return 0;
}

static void err_expire(void *state, struct weir_conn *conn)
{
    struct talk *talk = talk_of(conn);
    (void)state;
    if (talk->pid > 0)
        tell_to_end(talk);
    else
        weir_conn_finish(conn, WEIR_DONE); /* somebody it left behind holds it open */
}

static void err_close(void *state, struct weir_conn *conn, int why)
{
    struct talk *talk = close_end(conn, CGI_ERR);
    (void)state;
    (void)why;
    if (!talk)
        return;
    cgi_log_end(&talk->log);
    weir_drop(&talk->ref);
}

static const struct weir_protocol err_protocol = {.name = "cgi-err",
                                                  .input_max = 1,
                                                  .input = err_input,
                                                  .eof = err_eof,
                                                  .expire = err_expire,
                                                  .close = err_close};

/* --- its start and its end --- */

static void talk_ended(void *arg, int status)
{
    struct talk *talk = arg;
    talk->pid = 0;
    talk->status = status;
    talk->moved_ns = talk->driver->now.mono_ns;
    places_give(talk->cgi->places, talk->place);
    talk->place = -1;
    if (talk->spoke_all)
        answer_end(talk, false);
    talk_leave(talk);
    if (status != -ECANCELED) /* else the driver is going, and all with it */
        watch_next(talk->driver);
    weir_drop(&talk->ref);
}

static size_t set_limits(const struct cgi_options *o, struct weir_limit limits[5])
{
    size_t count = 0;
    limits[count++] = (struct weir_limit){RLIMIT_CORE, 0};
    limits[count++] = (struct weir_limit){RLIMIT_NOFILE, LIMIT_CGI_FILES};
    limits[count++] = (struct weir_limit){RLIMIT_CPU, o->cpu_s ? o->cpu_s : LIMIT_CGI_CPU_S};
    limits[count++] = (struct weir_limit){RLIMIT_DATA, o->memory ? o->memory : LIMIT_CGI_MEMORY};
    if (o->processes)
        limits[count++] = (struct weir_limit){RLIMIT_NPROC, o->processes};
    return count;
}

static bool has_content(const struct talk *talk)
{
    return talk->spool >= 0 || (weir_request_length(talk->x) != 0 &&
                                weir_request_length(talk->x) != WEIR_LENGTH_UNKNOWN);
}

static int spawn(struct talk *talk, const char *const *env)
{
    char name[LIMIT_FILE_PATH_BYTES + 3];
    size_t at = talk->program.name_at;
    struct text t;
    text_init(&t, name, sizeof(name));
    text_str(&t, "./"); /* in its own folder, which is held: no rename can lead elsewhere */
    text_add(&t, talk->path.at + at, talk->program.name_end - at);
    const char *const argv[] = {text_end(&t), NULL};
    struct weir_limit limits[5];
    struct weir_conn *ends[3];
    const struct weir_spawn spawn = {
        .argv = argv,
        .env = env,
        .dir_fd = talk->program.folder,
        .limits = limits,
        .limit_count = set_limits(talk->cgi->options, limits),
        .protocol = {has_content(talk) ? &in_protocol : NULL, &out_protocol, &err_protocol},
        .config = {talk, talk, talk},
        .ended = talk_ended,
        .arg = talk,
    };
    int pid = talk->driver->ops->spawn(talk->driver, &spawn, ends);
    if (pid < 0)
        return pid;
    weir_hold(&talk->ref);
    talk->pid = talk->group = pid;
    for (int i = 0; i < 3; i++) {
        talk->end[i] = ends[i];
        if (ends[i])
            weir_hold(&talk->ref);
    }
    return 0;
}

int talk_run(struct talk *talk)
{
    char **env = cgi_env(talk);
    if (!env)
        return -ENOMEM;
    int rc = spawn(talk, (const char *const *)env);
    free(env);
    close(talk->program.folder);
    talk->program.folder = -1;
    if (rc < 0)
        return rc;
    talk->phase = TALK_RUN;
    talk->moved_ns = talk->driver->now.mono_ns;
    if (talk->spool >= 0) {
        weir_out_file(weir_conn_out(talk->end[CGI_IN]), talk->spool, 0, (size_t)talk->spool_len,
                      &talk->ref);
        weir_conn_wake(talk->end[CGI_IN]);
        weir_conn_end(talk->end[CGI_IN]);
    }
    return 0;
}
