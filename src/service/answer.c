/* The connection's side of a blocking function: a handler that never waits. */
#include "service/answer.h"

#include "service/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t ring_put(struct ring *ring, const void *bytes, size_t len)
{
    size_t end = (ring->at + ring->len) % LIMIT_ANSWER_BUFFER;
    size_t room = LIMIT_ANSWER_BUFFER - ring->len;
    len = len < room ? len : room;
    size_t first = LIMIT_ANSWER_BUFFER - end;
    first = first < len ? first : len;
    if (len > 0) {
        memcpy(ring->bytes + end, bytes, first);
        memcpy(ring->bytes, (const uint8_t *)bytes + first, len - first);
    }
    ring->len += len;
    return len;
}

struct weir_bytes ring_peek(const struct ring *ring)
{
    size_t first = LIMIT_ANSWER_BUFFER - ring->at;
    return (struct weir_bytes){(const char *)ring->bytes + ring->at,
                               first < ring->len ? first : ring->len};
}

void ring_skip(struct ring *ring, size_t len)
{
    ring->at = (ring->at + len) % LIMIT_ANSWER_BUFFER;
    ring->len -= len;
}

void answer_tell(struct answer *a)
{
    if (a->told || !a->x)
        return;
    a->told = true;
    a->driver->ops->post(a->driver, &a->news);
}

/* Both are done with it. */
static void answer_free(struct answer *a)
{
    if (!a->job_over || !a->stopped)
        return;
    if (a->file)
        weir_drop(&a->file->ref);
    weir_exchange_drop(a->held);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    arena_done(&a->arena);
    free(a->in.bytes);
    free(a->out.bytes);
    free(a);
}

static struct answer *answer_of_news(struct weir_job *news)
{
    return (struct answer *)((char *)news - offsetof(struct answer, news));
}

static int begin(struct answer *a)
{
    struct weir_response *response = &a->response;
    struct weir_exchange *x = a->x;
    int rc = weir_reply_status(x, response->status);
    if (rc == 0 && response->error)
        return weir_reply_error(x, response->error);
    if (rc == 0 && response->lines_len > 0)
        rc = weir_reply_block(x, response->lines, response->lines_len, NULL);
    if (rc == 0)
        rc = weir_reply_length(x, response->length);
    return rc < 0 ? rc : weir_reply_begin(x);
}

/* On the connection's thread: the function has written, read or returned. */
static void answer_news(struct weir_job *news)
{
    struct answer *a = answer_of_news(news);
    pthread_mutex_lock(&a->lock);
    a->told = false;
    if (a->x && a->response.begun && !a->x->begun && begin(a) < 0)
        (void)exchange_fail(a->x, -EIO);
    if (a->x)
        weir_exchange_wake(a->x);
    pthread_mutex_unlock(&a->lock);
}

/* A client that has gone before its turn came has nothing done for it. */
static void answer_work(struct weir_job *job)
{
    struct answer *a = (struct answer *)job;
    pthread_mutex_lock(&a->lock);
    bool wanted = a->x != NULL;
    pthread_mutex_unlock(&a->lock);
    int rc = wanted ? a->route->answer(&a->request, &a->response) : -EPIPE;
    pthread_mutex_lock(&a->lock);
    response_end(a, rc);
    answer_tell(a);
    pthread_mutex_unlock(&a->lock);
}

static void answer_done(struct weir_job *job)
{
    struct answer *a = (struct answer *)job;
    a->job_over = true;
    answer_free(a);
}

/* All of them wait for others already. */
static int reply_busy(struct weir_exchange *x)
{
    int rc = weir_reply_field(x, "Retry-After", LIMIT_ANSWER_RETRY_S);
    return rc < 0 ? rc : weir_reply_error(x, 503);
}

static struct answer *answer_new(struct weir_exchange *x)
{
    struct answer *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->in.bytes = weir_request_length(x) > 0 ? malloc(LIMIT_ANSWER_BUFFER) : NULL;
    a->out.bytes = malloc(LIMIT_ANSWER_BUFFER);
    if (!a->out.bytes || (weir_request_length(x) > 0 && !a->in.bytes)) {
        free(a->in.bytes);
        free(a->out.bytes);
        free(a);
        return NULL;
    }
    a->job = (struct weir_job){.work = answer_work, .done = answer_done, .waits = true};
    a->news.done = answer_news;
    a->route = weir_exchange_config(x);
    a->driver = weir_exchange_driver(x);
    a->request = (struct weir_request){x, a->route->arg};
    a->response.status = 200;
    a->response.length = WEIR_LENGTH_UNKNOWN;
    a->response.discard = weir_request_method(x) == WEIR_METHOD_HEAD;
    a->x = a->held = x;
    weir_exchange_hold(x);
    arena_init(&a->arena, LIMIT_ANSWER_BYTES);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    return a;
}

static struct answer *answer_of(struct weir_exchange *x)
{
    return *(struct answer **)weir_exchange_state(x);
}

/* The head is copied before another thread looks at it: from then on nothing of the request changes. */
static int answer_start(struct weir_exchange *x)
{
    if (!weir_exchange_driver(x)->ops->post)
        return -EOPNOTSUPP;
    struct answer *a = exchange_keep(x) == 0 ? answer_new(x) : NULL;
    if (!a)
        return -ENOMEM;
    *(struct answer **)weir_exchange_state(x) = a;
    int rc = a->driver->ops->submit(a->driver, &a->job);
    if (rc == 0)
        return 0;
    a->job_over = true; /* stop() frees it */
    return rc == -EAGAIN ? reply_busy(x) : rc;
}

static ssize_t answer_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    struct answer *a = answer_of(x);
    pthread_mutex_lock(&a->lock);
    size_t n = len;
    if (!a->finished && !a->job_over) { /* else it is read past */
        n = ring_put(&a->in, bytes, len);
        a->in_held = n < len;
        pthread_cond_signal(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return (ssize_t)n;
}

static int answer_end(struct weir_exchange *x)
{
    struct answer *a = answer_of(x);
    pthread_mutex_lock(&a->lock);
    a->in_ended = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    return 0;
}

/* A piece of the file that is next. */
static void give_file(struct answer *a, struct weir_out *out, size_t room)
{
    struct answer_file *file = a->file;
    size_t n = file->len < room ? (size_t)file->len : room;
    weir_out_file(out, file->fd, file->offset, n, &file->ref);
    file->offset += n;
    file->len -= n;
    if (file->len == 0) {
        a->file = NULL;
        weir_drop(&file->ref);
    }
}

static int give_some(struct answer *a, struct weir_out *out, size_t room)
{
    if (a->out.len > 0) {
        struct weir_bytes piece = ring_peek(&a->out);
        piece.len = piece.len < room ? piece.len : room;
        weir_out_copy(out, piece.at, piece.len);
        ring_skip(&a->out, piece.len);
        return WEIR_FLOW_MORE;
    }
    if (a->file) {
        give_file(a, out, room);
        return WEIR_FLOW_MORE;
    }
    if (a->response.failed)
        return -EIO;
    return a->finished ? WEIR_FLOW_END : WEIR_FLOW_WAIT;
}

static int answer_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    struct answer *a = answer_of(x);
    pthread_mutex_lock(&a->lock);
    int flow = give_some(a, out, room);
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    return flow;
}

static void answer_stop(struct weir_exchange *x, int why)
{
    struct answer *a = answer_of(x);
    (void)why;
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->x = NULL;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    a->stopped = true;
    answer_free(a);
}

const struct weir_handler answer_handler = {
    .name = "answer",
    .state_size = sizeof(struct answer *),
    .start = answer_start,
    .take = answer_take,
    .end = answer_end,
    .give = answer_give,
    .stop = answer_stop,
};
