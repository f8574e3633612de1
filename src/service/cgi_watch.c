/* Waiting: for a place, for a program that is silent, for a client that may have gone. */
#include "http/exchange.h"
#include "service/cgi_talk.h"
#include "service/local.h"
#include "service/places.h"
#include "tbl/limits.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct cgi_queue *queue_of(const struct weir_driver *driver)
{
    return &((struct local *)driver->local)->cgi;
}

void watch_forget(struct talk *talk)
{
    struct cgi_queue *queue = queue_of(talk->driver);
    struct talk *before = NULL;
    if (talk->phase != TALK_QUEUE)
        return;
    for (struct talk *at = queue->first; at && at != talk; at = at->next)
        before = at;
    *(before ? &before->next : &queue->first) = talk->next;
    if (queue->last == talk)
        queue->last = before;
    queue->count--;
    talk->phase = TALK_RUN;
}

static void refuse(struct talk *talk)
{
    char seconds[16];
    watch_forget(talk); /* what it is told may take long to go out */
    snprintf(seconds, sizeof(seconds), "%d", LIMIT_CGI_RETRY_AFTER_S);
    exchange_struck(talk->x, "cgi-max");
    (void)!weir_reply_field(talk->x, "Retry-After", seconds);
    answer_fail(talk, 503, "too many programs run already");
}

static int put_off(struct talk *talk)
{
    struct cgi_queue *queue = queue_of(talk->driver);
    if (queue->count >= LIMIT_CGI_WAITING) {
        refuse(talk);
        return 0;
    }
    talk->phase = TALK_QUEUE;
    talk->queued_ns = talk->driver->now.mono_ns;
    talk->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = talk;
    queue->last = talk;
    queue->count++;
    watch_arm(talk);
    return 0;
}

/* It has a place. */
static void run(struct talk *talk, int place)
{
    char words[128];
    talk->place = place;
    int rc = talk_run(talk);
    if (rc == 0) {
        watch_arm(talk);
        return;
    }
    talk->place = -1;
    places_give(talk->cgi->places, place);
    bool scarce = rc == -EAGAIN || rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE;
    snprintf(words, sizeof(words), "it cannot be started: %s", strerrordesc_np(-rc));
    answer_fail(talk, scarce ? 503 : 500, words);
}

int watch_start(struct talk *talk)
{
    int place =
        queue_of(talk->driver)->first ? -EAGAIN : places_take(talk->cgi->places, 0, UINT_MAX);
    if (place < 0)
        return put_off(talk);
    run(talk, place);
    return 0;
}

static void try_again(struct talk *talk)
{
    int place = places_take(talk->cgi->places, 0, UINT_MAX);
    if (place < 0)
        return;
    watch_forget(talk);
    run(talk, place);
    if (talk->held && talk->x) { /* content can be taken now */
        talk->held = false;
        weir_exchange_wake(talk->x);
    }
}

/* Somebody else has answered already: HTTP does where content is late or too much. */
static bool is_answered(const struct talk *talk)
{
    return talk->x && talk->x->begun;
}

void watch_next(struct weir_driver *driver)
{
    struct talk *first;
    while ((first = queue_of(driver)->first) && is_answered(first))
        watch_forget(first);
    if (first)
        try_again(first);
}

/* Only the program and the client keep an exchange waiting; while content is to come, HTTP keeps the time. */
static bool must_look(const struct talk *talk)
{
    return talk->x && talk->answer != ANSWER_OVER &&
           (talk->phase == TALK_QUEUE || talk->held || talk->took_all || talk->settle_ns);
}

/* true: there is a sooner look than was planned. */
static bool plan_look(struct talk *talk)
{
    if (!must_look(talk))
        return false;
    uint64_t ms = talk->phase == TALK_QUEUE ? LIMIT_CGI_RETRY_MS : LIMIT_CGI_LOOK_MS;
    uint64_t at = talk->driver->now.mono_ns + ms * WEIR_NS_PER_MS;
    if (talk->settle_ns && talk->settle_ns < at)
        at = talk->settle_ns;
    if (talk->look_ns && talk->look_ns <= at)
        return false;
    talk->look_ns = at;
    return true;
}

void watch_arm(struct talk *talk)
{
    if (plan_look(talk))
        weir_exchange_arm(talk->x, talk->look_ns);
}

void watch_hold(struct talk *talk)
{
    talk->held = true;
    if (plan_look(talk))
        talk->x->deadline_ns = talk->look_ns;
}

static bool since(const struct talk *talk, uint64_t ns, uint64_t ms)
{
    return talk->driver->now.mono_ns >= ns + ms * WEIR_NS_PER_MS;
}

static uint64_t queued(struct weir_conn *conn)
{
    return conn ? weir_out_len(weir_conn_out(conn)) : 0;
}

/* What has moved since the last look. A program that waits for its client is not silent. */
static void note_moves(struct talk *talk)
{
    uint64_t now = talk->driver->now.mono_ns;
    uint64_t in = queued(talk->end[CGI_IN]), out = queued(talk->x->conn);
    if (in != talk->in_left || weir_out_len(&talk->staged) > 0)
        talk->moved_ns = now;
    if (out != talk->out_left || talk->given != talk->given_seen || out == 0)
        talk->client_ns = now;
    talk->in_left = in;
    talk->out_left = out;
    talk->given_seen = talk->given;
}

static void give_up_client(struct talk *talk, int why)
{
    talk->bad = true;
    weir_conn_abort(talk->x->conn, why);
}

/* Closed its side a while ago, with nothing of it unread: it will hardly want the answer. */
static bool client_has_left(struct talk *talk)
{
    const struct weir_driver_ops *ops = talk->driver->ops;
    if (!ops->peer_ended || !ops->peer_ended(talk->driver, talk->x->conn)) {
        talk->gone_ns = 0;
        return false;
    }
    if (!talk->gone_ns)
        talk->gone_ns = talk->driver->now.mono_ns;
    return since(talk, talk->gone_ns, LIMIT_CGI_GONE_MS);
}

/* Takes nothing any more, or has left and is told nothing. */
static bool client_is_gone(struct talk *talk)
{
    unsigned send_ms = talk->x->http->send_ms;
    if (since(talk, talk->client_ns, send_ms ? send_ms : LIMIT_HTTP_SEND_MS)) {
        give_up_client(talk, -ETIMEDOUT);
        return true;
    }
    if (!talk->took_all)
        talk->gone_ns = 0;
    else if (client_has_left(talk) && since(talk, talk->moved_ns, LIMIT_CGI_GONE_MS)) {
        give_up_client(talk, -ECONNRESET);
        return true;
    }
    return false;
}

/* No program is started for a client that has left meanwhile, nor does it keep others from their turn. */
static void look_in_queue(struct talk *talk)
{
    if (is_answered(talk)) {
        watch_forget(talk);
        return;
    }
    if (since(talk, talk->client_ns, LIMIT_CGI_LOOK_MS)) {
        talk->client_ns = talk->driver->now.mono_ns;
        if (client_has_left(talk)) {
            give_up_client(talk, -ECONNRESET);
            return;
        }
    }
    if (queue_of(talk->driver)->first == talk)
        try_again(talk);
    if (talk->phase == TALK_QUEUE && since(talk, talk->queued_ns, LIMIT_CGI_WAIT_MS))
        refuse(talk);
}

static void look(struct talk *talk)
{
    unsigned timeout_s = talk->cgi->options->timeout_s;
    note_moves(talk);
    if (client_is_gone(talk))
        return;
    if (talk->settle_ns && since(talk, talk->settle_ns, 0)) {
        answer_end(talk, false);
    } else if (talk->pid == 0 && !talk->spoke_all &&
               since(talk, talk->moved_ns, LIMIT_CGI_HELD_MS)) {
        /* Whoever it left behind has its output, but not its word. While one of them lives nobody else gets the number. */
        kill(-talk->group, SIGTERM);
        talk->spoke_all = true;
        answer_end(talk, false);
    } else if (since(talk, talk->moved_ns, timeout_s ? timeout_s * 1000ull : LIMIT_CGI_SILENT_MS)) {
        exchange_struck(talk->x, "cgi-timeout");
        answer_fail(talk, 504, "it was silent for too long");
    }
}

void watch_expire(struct weir_exchange *x)
{
    struct talk *talk = *(struct talk **)weir_exchange_state(x);
    if (!talk)
        return;
    talk->look_ns = 0;
    if (talk->phase == TALK_QUEUE) {
        look_in_queue(talk);
    } else if (talk->phase == TALK_RUN && talk->answer != ANSWER_OVER && x->conn) {
        look(talk);
    }
    if (x->conn)
        watch_arm(talk);
}
