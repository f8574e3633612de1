/*
 * service/cgi_talk.h: one request and the program that answers it.
 *
 *   cgi.c        the handler: what comes from the client and goes to it
 *   cgi_child.c  the program: started, its three pipes, its end
 *   cgi_answer.c what its answer means
 *   cgi_watch.c  waiting: for a place, for the program, for the client
 *   cgi_env.c    its environment; cgi_spool.c content of unknown length
 *
 * A talk outlives its exchange: the program may have to be told to end, and its last words are still to be read. It is held
 * by its exchange, by each pipe that is open, and by the program while it runs; x, the pipes and pid say which of them are left.
 */
#pragma once

#include "base/out.h"
#include "service/cgi.h"
#include "service/cgi_find.h"
#include "service/cgi_log.h"

#include <weir/driver.h>

enum { CGI_IN, CGI_OUT, CGI_ERR };

enum talk_phase {
    TALK_SPOOL, /* content of unknown length is gathered */
    TALK_QUEUE, /* all places are taken */
    TALK_RUN,   /* a program was started */
};

enum answer_phase {
    ANSWER_HEAD,
    ANSWER_BODY,
    ANSWER_OVER, /* what else the program says is thrown away */
};

struct talk {
    struct weir_ref ref;
    struct weir_exchange *x; /* NULL: over */
    const struct cgi *cgi;
    struct weir_driver *driver;
    struct weir_conn *end[3]; /* of the pipes; NULL: closed, or not open yet */
    struct talk *next;        /* in the queue */
    struct weir_bytes path;   /* clean; in `text` */
    struct program program;   /* its folder is ours; -1: closed */
    int pid;                  /* 0: not started, or reaped */
    int status;               /* of its end */
    int group; /* of processes: the program's number, for as long as one of them lives */
    int place; /* -1: none */
    int spool; /* descriptor, -1: none */
    uint64_t spool_len;

    uint8_t phase;     /* enum talk_phase */
    uint8_t answer;    /* enum answer_phase */
    bool raw : 1;      /* NPH: all it says is the answer, status line and all */
    bool held : 1;     /* the client is held back until the program takes more */
    bool took_all : 1; /* the request's content is complete */
    bool spoke_all : 1;
    bool err_ended : 1;
    bool complete : 1; /* the end of the content was said */
    bool bad : 1;      /* it is to be ended with its exchange */
    bool told : 1;     /* SIGTERM was sent */
    bool paused : 1;   /* its answer waits for the client */

    size_t scanned;         /* of its head */
    struct weir_out staged; /* content of its answer, for the client */
    uint64_t promised;      /* length of that content; UINT64_MAX: not said */
    uint64_t given;         /* ... and how much of it went on */
    int failed;             /* give() says this */
    uint64_t thrown_away;   /* request content nobody read */
    char *redirect;         /* waits for the end of the content; owned */

    /* watching; all mono_ns */
    uint64_t look_ns;   /* the deadline that is set for the exchange; 0: none */
    uint64_t queued_ns; /* when it began to wait for a place */
    uint64_t moved_ns;  /* when something last moved */
    uint64_t settle_ns; /* until then its end is waited for; 0: not so */
    uint64_t client_ns; /* when the client last took something */
    uint64_t gone_ns;   /* since when the client has nothing more to say; 0: not so */
    uint64_t in_left, out_left, given_seen; /* what there was at the last look */

    struct cgi_log log;
    char text[]; /* the path */
};

/* cgi_child.c */
/* A talk with one hold. NULL: no memory; then the program's folder is still the caller's. */
struct talk *talk_new(struct weir_exchange *, struct weir_bytes path, const struct program *);
/* Starts the program. It has a place. -errno: nothing was started. */
WEIR_CHECKED int talk_run(struct talk *);
/* The exchange is over, or something else has ended: what is left to do is done, now or when its time comes. */
void talk_leave(struct talk *);
/* Its answer is not wanted: the program need not wait for the client to take another one. */
void talk_quit(struct talk *);
void talk_signal(struct talk *, int signal_number);

/* cgi_env.c: environment of the program, ended by NULL: one allocation to free(). NULL: no memory, or it is too large. */
char **cgi_env(struct talk *);

/* cgi_spool.c: an unnamed file. -errno; -EMSGSIZE: it would be larger than is allowed. */
WEIR_CHECKED int cgi_spool_add(struct talk *, const uint8_t *, size_t);

/* cgi_answer.c */
/* Bytes of its standard output: how many were used; 0: more are needed. */
size_t answer_take(struct talk *, const char *bytes, size_t len);
/* Its output has ended, or it has: perhaps that is all. `wait`: its status may come yet. */
void answer_end(struct talk *, bool wait);
/* Another status instead of its answer, or the connection is cut when that is under way. `why` goes to the log. */
void answer_fail(struct talk *, unsigned status, const char *why);
/* As handler calls. */
int answer_give(struct weir_exchange *, struct weir_out *, size_t room);
/* The content is complete: an internal redirect that waited for it. true: there was one; the talk is not the exchange's
 * any more. *out_rc is for the handler's call. */
bool answer_redirect(struct talk *, int *out_rc);

/* cgi_watch.c */
/* Starts it, or queues it; what prevents that becomes the reply. */
WEIR_CHECKED int watch_start(struct talk *);
/* A place was given back: the first of this thread that waits may go on. */
void watch_next(struct weir_driver *);
void watch_forget(struct talk *); /* not queued any more */
/* Sees to it that there is a look before long. */
void watch_arm(struct talk *);
/* The same within take(), which holds the client back: HTTP sees the deadline when that returns. Arming would wake the exchange,
 * and that means that there is room. */
void watch_hold(struct talk *);
/* As a handler's call. */
void watch_expire(struct weir_exchange *);
