/*
 * service/answer.h: a request that is answered by a blocking function (weir/routes.h): what the function's helper thread and the
 * connection's thread share. Both look at it under its lock; each direction has a bounded queue. The thread that feeds the connection
 * never waits for more than the lock, which nobody holds for long.
 *
 * It lives until both are done with it: the exchange (stop) and the job (done), which end on the connection's thread.
 */
#pragma once

#include "base/arena.h"
#include "http/exchange.h"
#include "service/form.h"
#include "tbl/limits_routes.h"

#include <weir/routes.h>

#include <pthread.h>

/* A bounded queue of bytes. */
struct ring {
    uint8_t *bytes; /* LIMIT_ANSWER_BUFFER of them; NULL until they are needed */
    size_t at, len;
};

/* A piece of a file on its way. */
struct answer_file {
    struct weir_ref ref; /* first; of the connection's thread once it was handed over */
    int fd;
    uint64_t offset, len;
};

struct weir_response {
    unsigned status;
    uint64_t length, written;
    bool begun;     /* the connection's thread may look at status, fields and length */
    bool discard;   /* HEAD, 204 and 304: content goes nowhere */
    bool failed;    /* it is cut after what is queued */
    unsigned error; /* a page of this status is the whole answer; 0: none */
    char *lines;    /* field lines, in the arena */
    size_t lines_len, lines_size;
};

struct answer {
    struct weir_job job;  /* the function */
    struct weir_job news; /* the function has done something */
    struct weir_request request;
    struct weir_response response;
    const struct weir_route *route;
    struct weir_driver *driver;
    struct weir_exchange *held; /* its request is read by both threads: nothing of it changes */
    struct arena arena;         /* of the helper thread */
    struct form *form;          /* likewise; in the arena; NULL until it is asked for */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct weir_exchange *x; /* NULL: it is over */
    struct ring in, out;
    struct answer_file *file; /* goes out after what is in `out`; NULL: none */
    bool in_ended;            /* all of the request's content is in the queue */
    bool in_held;             /* the peer is held back */
    bool told;                /* news are on their way */
    bool finished;            /* the function has returned */
    bool job_over, stopped;   /* of the connection's thread alone */
};

extern const struct weir_handler answer_handler; /* its config is a struct weir_route */

static inline struct answer *answer_of_request(const struct weir_request *request)
{
    return (struct answer *)((char *)(uintptr_t)request - offsetof(struct answer, request));
}

static inline struct answer *answer_of_response(struct weir_response *response)
{
    return (struct answer *)((char *)response - offsetof(struct answer, response));
}

/* Tells the connection's thread that there is something for it. With the lock held. */
void answer_tell(struct answer *);
/* Copies into the free part, at most `len` bytes. */
size_t ring_put(struct ring *, const void *bytes, size_t len);
/* The first queued bytes in one piece. */
struct weir_bytes ring_peek(const struct ring *);
void ring_skip(struct ring *, size_t len);
/* The function has returned: what is left to say of the response. With the lock held. */
void response_end(struct answer *, int rc);
