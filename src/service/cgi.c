#include "service/cgi.h"

#include "http/exchange.h"
#include "http/target.h"
#include "service/cgi_talk.h"
#include "tbl/limits.h"

#include <errno.h>
#include <unistd.h>

static struct talk *talk_of(struct weir_exchange *x)
{
    struct talk **state = weir_exchange_state(x);
    return state ? *state : NULL;
}

/* The program a path means, and a talk with it. */
static int open_talk(struct weir_exchange *x, struct weir_bytes path, struct talk **out)
{
    const struct cgi *cgi = weir_exchange_config(x);
    struct program program;
    int rc = cgi_find(cgi, path, &program);
    if (rc < 0)
        return rc;
    struct weir_bytes below = {path.at + cgi->prefix.len, program.name_end - cgi->prefix.len};
    *out = path_hidden(below) ? NULL : talk_new(x, path, &program);
    if (*out)
        return 0;
    close(program.folder);
    return path_hidden(below) ? -ENOENT : -ENOMEM;
}

static int cgi_start(struct weir_exchange *x)
{
    struct talk **state = weir_exchange_state(x);
    enum weir_method method = weir_request_method(x);
    if (method == WEIR_METHOD_TRACE || method == WEIR_METHOD_CONNECT) {
        int rc = weir_reply_field(x, "Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
        return rc < 0 ? rc : weir_reply_error(x, 405);
    }
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path;
    enum path_error wrong = path_clean(weir_request_path(x), buffer, sizeof(buffer), &path);
    if (wrong != PATH_CLEAN)
        return wrong == PATH_MALFORMED ? -EINVAL : -ENOENT;
    int rc = open_talk(x, path, state);
    if (rc < 0)
        return rc;
    if (weir_request_length(x) == WEIR_LENGTH_UNKNOWN)
        return 0; /* it is gathered first */
    return watch_start(*state);
}

/* Content that nobody reads: a bounded amount of it is taken all the same, so that the connection can stay. */
static ssize_t throw_away(struct talk *talk, size_t len)
{
    if (talk->thrown_away + len > LIMIT_HTTP_DRAIN_BYTES)
        return 0; /* the answer goes out first; then HTTP sees what becomes of the rest */
    talk->thrown_away += len;
    return (ssize_t)len;
}

static ssize_t pass_on(struct talk *talk, const uint8_t *bytes, size_t len)
{
    struct weir_conn *in = talk->end[CGI_IN];
    size_t room = weir_out_space(weir_conn_out(in));
    size_t n = len < room ? len : room;
    if (n > 0) {
        weir_out_copy(weir_conn_out(in), bytes, n);
        weir_conn_wake(in);
        talk->moved_ns = talk->driver->now.mono_ns;
    }
    if (n < len)
        watch_hold(talk);
    return (ssize_t)n;
}

static ssize_t cgi_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    struct talk *talk = talk_of(x);
    if (!talk)
        return (ssize_t)len;
    if (x->begun && (talk->phase != TALK_RUN || talk->answer == ANSWER_OVER))
        return throw_away(talk, len);
    switch ((enum talk_phase)talk->phase) {
    case TALK_SPOOL: {
        int rc = cgi_spool_add(talk, bytes, len);
        return rc < 0 ? rc : (ssize_t)len;
    }
    case TALK_QUEUE:
        watch_hold(talk);
        return 0;
    default:
        break;
    }
    if (talk->end[CGI_IN] && !talk->redirect)
        return pass_on(talk, bytes, len);
    ssize_t n = throw_away(talk, len);
    return n > 0 || !talk->redirect ? n : -EMSGSIZE; /* a redirect waits for the end of it */
}

static int cgi_end(struct weir_exchange *x)
{
    struct talk *talk = talk_of(x);
    int rc = 0;
    bool answered = talk && talk->phase != TALK_RUN && x->begun;
    if (!talk || answered || (talk->answer == ANSWER_OVER && !talk->redirect))
        return 0;
    talk->took_all = true;
    talk->moved_ns = talk->client_ns = talk->driver->now.mono_ns;
    if (answer_redirect(talk, &rc))
        return rc;
    if (talk->phase == TALK_SPOOL)
        rc = watch_start(talk);
    else if (talk->end[CGI_IN])
        weir_conn_end(talk->end[CGI_IN]);
    if (rc == 0)
        watch_arm(talk);
    return rc;
}

static void cgi_stop(struct weir_exchange *x, int why)
{
    struct talk *talk = talk_of(x);
    if (!talk)
        return;
    *(struct talk **)weir_exchange_state(x) = NULL;
    watch_forget(talk);
    talk->x = NULL;
    talk->bad |= why != WEIR_DONE;
    talk_leave(talk);
    weir_drop(&talk->ref);
}

const struct weir_handler cgi_handler = {
    .name = "cgi",
    .state_size = sizeof(struct talk *),
    .start = cgi_start,
    .take = cgi_take,
    .end = cgi_end,
    .give = answer_give,
    .expire = watch_expire,
    .stop = cgi_stop,
};
