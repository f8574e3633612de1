/* What the program's answer means, and how it goes on to the client. */
#include "base/bytes.h"
#include "base/text.h"
#include "http/cgi_head.h"
#include "http/reroute.h"
#include "service/cgi_talk.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COPIED_MAX 4096 /* longer pieces get memory of their own, and are not copied again */

struct piece {
    struct weir_ref ref;
    char bytes[];
};

static void piece_free(struct weir_ref *ref)
{
    free(ref);
}

void answer_fail(struct talk *talk, unsigned status, const char *why)
{
    struct weir_exchange *x = talk->x;
    if (!x || talk->answer == ANSWER_OVER)
        return;
    cgi_log_say(&talk->log, "%s", why);
    talk->bad = true;
    bool begun = talk->answer == ANSWER_BODY;
    talk->answer = ANSWER_OVER;
    talk_quit(talk);
    if (begun || weir_reply_error(x, status) < 0)
        talk->failed = -EPROTO;
    weir_exchange_wake(x);
}

static void stage(struct talk *talk, const char *bytes, size_t len)
{
    if (len <= COPIED_MAX) {
        weir_out_copy(&talk->staged, bytes, len);
    } else {
        struct piece *piece = malloc(sizeof(*piece) + len);
        if (!piece) {
            talk->failed = -ENOMEM;
            return;
        }
        piece->ref = (struct weir_ref){1, piece_free};
        memcpy(piece->bytes, bytes, len);
        weir_out_bytes(&talk->staged, piece->bytes, len, &piece->ref);
        weir_drop(&piece->ref);
    }
    if (weir_out_failed(&talk->staged))
        talk->failed = -ENOMEM;
}

/* Keeps the path for when the content is complete: the next handler has no use for it. */
static void redirect_here(struct talk *talk, struct weir_bytes target)
{
    int rc;
    talk->redirect = strndup(target.at, target.len);
    if (!talk->redirect) {
        answer_fail(talk, 503, "no memory for its redirect");
        return;
    }
    talk->answer = ANSWER_OVER;
    if (talk->took_all)
        (void)answer_redirect(talk, &rc); /* < 0 only once an answer has begun, and none has */
    else
        weir_exchange_wake(talk->x); /* what is still to come of the content is thrown away */
}

static int begin_reply(struct talk *talk, const struct cgi_head *head, const char *bytes,
                       size_t len)
{
    struct weir_exchange *x = talk->x;
    char *lines = weir_exchange_alloc(x, head->lines_max + 1);
    if (!lines)
        return -ENOMEM;
    struct text t;
    text_init(&t, lines, head->lines_max + 1);
    cgi_head_lines(bytes, len, &t);
    reply_fields_yield(x, (struct weir_bytes){t.at, t.len});
    unsigned implied = head->location.len > 0 ? 302 : 200;
    int rc = weir_reply_status(x, head->status ? head->status : implied);
    if (rc == 0)
        rc = weir_reply_block(x, t.at, t.len, NULL);
    if (rc == 0 && head->length != UINT64_MAX)
        rc = weir_reply_length(x, head->length);
    if (rc < 0)
        return rc;
    talk->promised = head->length;
    talk->answer = ANSWER_BODY;
    return weir_reply_begin(x);
}

static size_t take_head(struct talk *talk, const char *bytes, size_t len)
{
    struct cgi_head head;
    size_t head_len = cgi_head_find(&talk->scanned, bytes, len);
    if (head_len == 0)
        return 0;
    if (head_len > LIMIT_CGI_HEAD)
        answer_fail(talk, 502, "the head of its answer is too long");
    else if (cgi_head_read(bytes, head_len, &head) < 0)
        answer_fail(talk, 502, "its answer does not begin with proper fields");
    else if (head.local)
        redirect_here(talk, head.location);
    else if (begin_reply(talk, &head, bytes, head_len) < 0)
        answer_fail(talk, 502, "its answer has too many fields");
    return head_len;
}

static size_t take_status(struct talk *talk, const char *bytes, size_t len)
{
    int status = cgi_head_status(bytes, len);
    if (status == 0)
        return 0;
    if (status < 0 || exchange_begin_raw(talk->x, (unsigned)status) < 0) {
        answer_fail(talk, 502, "its answer does not begin with a status line");
        return len;
    }
    talk->answer = ANSWER_BODY;
    stage(talk, bytes, len);
    return len;
}

size_t answer_take(struct talk *talk, const char *bytes, size_t len)
{
    if (!talk->x || talk->answer == ANSWER_OVER)
        return len;
    if (talk->answer == ANSWER_HEAD)
        return talk->raw ? take_status(talk, bytes, len) : take_head(talk, bytes, len);
    stage(talk, bytes, len);
    weir_exchange_wake(talk->x);
    return len;
}

/* "it ended without an answer (exited with status 3)". */
static const char *end_words(const struct talk *talk, const char *what, char *text, size_t size)
{
    struct text t;
    text_init(&t, text, size);
    text_str(&t, what);
    if (talk->pid == 0 && talk->status >= WEIR_SIGNALLED)
        text_fmt(&t, " (was killed by signal %d)", talk->status - WEIR_SIGNALLED);
    else if (talk->pid == 0)
        text_fmt(&t, " (exited with status %d)", talk->status);
    return text_end(&t);
}

/* A crash must not look like the end of the answer; where its length was promised, that tells. */
static void end_body(struct talk *talk)
{
    bool crashed = talk->pid == 0 && talk->status >= WEIR_SIGNALLED;
    if (crashed && talk->promised == WEIR_LENGTH_UNKNOWN) {
        char words[96];
        cgi_log_say(&talk->log, "%s",
                    end_words(talk, "it ended within its answer", words, sizeof(words)));
        talk->failed = -EPROTO;
    }
    talk->complete = true;
    weir_exchange_wake(talk->x);
}

void answer_end(struct talk *talk, bool wait)
{
    if (!talk->x || talk->answer == ANSWER_OVER || talk->complete)
        return;
    if (wait && talk->pid > 0 && talk->promised == WEIR_LENGTH_UNKNOWN) {
        talk->settle_ns = talk->driver->now.mono_ns + LIMIT_CGI_STATUS_MS * WEIR_NS_PER_MS;
        watch_arm(talk);
        return;
    }
    talk->settle_ns = 0;
    char words[96];
    if (talk->answer == ANSWER_BODY)
        end_body(talk);
    else
        answer_fail(talk, 502, end_words(talk, "it ended without an answer", words, sizeof(words)));
}

int answer_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    struct talk *talk = *(struct talk **)weir_exchange_state(x);
    uint64_t left = talk->promised - talk->given;
    size_t n, moved = 0;
    if (talk->failed)
        return talk->failed;
    if (talk->promised != WEIR_LENGTH_UNKNOWN && weir_out_len(&talk->staged) > left) {
        cgi_log_say(&talk->log, "its answer is longer than it said");
        return -EMSGSIZE; /* before the last of it went out, so that nobody takes it for whole */
    }
    while (moved < room && (n = weir_out_move(out, &talk->staged, room - moved)) > 0)
        moved += n;
    talk->given += moved;
    if (moved > 0)
        talk->moved_ns = talk->driver->now.mono_ns;
    if (talk->paused && talk->end[CGI_OUT] && weir_out_room(&talk->staged)) {
        talk->paused = false;
        weir_conn_resume(talk->end[CGI_OUT]);
    }
    if (talk->complete && weir_out_len(&talk->staged) == 0)
        return WEIR_FLOW_END;
    return moved > 0 ? WEIR_FLOW_MORE : WEIR_FLOW_WAIT;
}

bool answer_redirect(struct talk *talk, int *out_rc)
{
    struct weir_exchange *x = talk->x;
    if (!talk->redirect)
        return false;
    weir_hold(&talk->ref); /* the exchange lets go of it */
    *out_rc = exchange_reroute(x, bytes_str(talk->redirect));
    if (talk->x) { /* it stays ours */
        talk->answer = ANSWER_HEAD;
        answer_fail(talk, 502,
                    *out_rc == -ELOOP ? "its redirects go in a circle"
                                      : "its redirect is too long");
        *out_rc = 0;
    }
    weir_drop(&talk->ref);
    return true;
}
