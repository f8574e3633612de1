#include "stream/lookup.h"

#include "stream/unix.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int lookup_error(int eai)
{
    switch (eai) {
    case 0:
        return 0;
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno ? -errno : -EIO;
    case EAI_SERVICE:
        return -EINVAL;
    default:
        return -EHOSTUNREACH;
    }
}

static bool is_listed(const struct address_list *list, const struct addrinfo *ai)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->len[i] == ai->ai_addrlen &&
            memcmp(&list->at[i], ai->ai_addr, ai->ai_addrlen) == 0)
            return true;
    return false;
}

static const struct addrinfo *next_of_family(const struct addrinfo *ai, int family, bool same)
{
    while (ai && (ai->ai_family == family) != same)
        ai = ai->ai_next;
    return ai;
}

/* Takes the order of RFC 6724, which the resolver gives, and lets the families take turns, beginning with the first one's
 * (RFC 8305 section 4). An address that /etc/hosts has twice is taken once. */
static void interleave(const struct addrinfo *all, struct address_list *out)
{
    size_t max = sizeof(out->at) / sizeof(out->at[0]);
    int family = all->ai_family;
    const struct addrinfo *queue[2] = {all, next_of_family(all, family, false)};
    out->count = 0;
    for (int turn = 0; (queue[0] || queue[1]) && out->count < max; turn = !turn) {
        const struct addrinfo *ai = queue[turn];
        if (!ai)
            continue;
        if (ai->ai_addrlen <= sizeof(out->at[0]) && !is_listed(out, ai)) {
            memcpy(&out->at[out->count], ai->ai_addr, ai->ai_addrlen);
            out->len[out->count++] = ai->ai_addrlen;
        }
        queue[turn] = next_of_family(ai->ai_next, family, turn == 0);
    }
}

static int ask(const struct host_port *hp, int flags, struct address_list *out)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *all = NULL;
    const char *host = strcmp(hp->host, "*") == 0 ? NULL : hp->host;
    errno = 0;
    int eai = getaddrinfo(host, hp->port, &hints, &all);
    if (eai != 0 || !all)
        return lookup_error(eai ? eai : EAI_NONAME);
    interleave(all, out);
    freeaddrinfo(all);
    return out->count > 0 ? 0 : -EHOSTUNREACH;
}

int lookup(const struct host_port *hp, bool passive, struct address_list *out)
{
    return ask(hp, passive ? AI_PASSIVE : 0, out);
}

/* A question that may outlive the one who asked: the last of the two frees it. */
struct question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    unsigned holders;
    bool done;
    int result;
    struct host_port hp;
    struct address_list list;
};

static void question_drop(struct question *q)
{
    pthread_mutex_lock(&q->lock);
    bool last = --q->holders == 0;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    pthread_cond_destroy(&q->answered);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static struct question *question_new(const struct host_port *hp)
{
    struct question *q = calloc(1, sizeof(*q));
    pthread_condattr_t attr;
    if (!q)
        return NULL;
    q->hp = *hp;
    q->holders = 2;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->answered, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

static void *question_answer(void *arg)
{
    struct question *q = arg;
    struct address_list list;
    int result = lookup(&q->hp, false, &list);
    pthread_mutex_lock(&q->lock);
    q->result = result;
    if (result == 0)
        q->list = list;
    q->done = true;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->lock);
    question_drop(q);
    return NULL;
}

/* A thread that handles no signals of the program. */
static int start_answering(struct question *q, pthread_t *out)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(out, NULL, question_answer, q);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -rc;
}

static int question_wait(struct question *q, uint64_t deadline, struct address_list *out,
                         bool *out_answered)
{
    const struct timespec until = {(time_t)(deadline / WEIR_NS_PER_S),
                                   (long)(deadline % WEIR_NS_PER_S)};
    int rc = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->done && rc == 0)
        rc = pthread_cond_timedwait(&q->answered, &q->lock, &until);
    *out_answered = q->done;
    rc = q->done ? q->result : -rc;
    if (rc == 0)
        *out = q->list;
    pthread_mutex_unlock(&q->lock);
    return rc;
}

int lookup_until(const struct host_port *hp, uint64_t deadline, struct address_list *out)
{
    int rc = ask(hp, AI_NUMERICHOST, out);
    if (rc != -EHOSTUNREACH)
        return rc;
    if (deadline == DEADLINE_NEVER)
        return lookup(hp, false, out);
    struct question *q = question_new(hp);
    if (!q)
        return -ENOMEM;
    pthread_t thread;
    rc = start_answering(q, &thread);
    if (rc < 0) {
        question_drop(q); /* for the thread that is not there */
        question_drop(q);
        return rc;
    }
    bool answered;
    rc = question_wait(q, deadline, out, &answered);
    /* One that has answered is at its end: what the resolver keeps for a thread is freed before we go on. One that
     * still asks cannot be stopped and ends by itself. */
    if (answered)
        pthread_join(thread, NULL);
    else
        pthread_detach(thread);
    question_drop(q);
    return rc;
}

/* A unix: name is just converted; else *out_hp is to be asked for: -EAGAIN. */
static int convert(const char *endpoint, bool passive, struct host_port *out_hp,
                   struct address_list *out)
{
    const struct transport *row;
    const char *rest;
    int rc = endpoint_parse(endpoint, passive, &row, &rest);
    if (rc < 0)
        return rc;
    if (row == &unix_transport) {
        struct sockaddr_un un;
        out->len[0] = unix_address(rest, &un);
        memcpy(&out->at[0], &un, sizeof(un));
        out->count = 1;
        return 0;
    }
    return row != &tcp_transport || host_port_split(rest, passive, out_hp) ? -EINVAL : -EAGAIN;
}

int address_lookup(const char *endpoint, bool passive, struct address_list *out)
{
    struct host_port hp;
    int rc = convert(endpoint, passive, &hp, out);
    return rc == -EAGAIN ? lookup(&hp, passive, out) : rc;
}

int address_lookup_until(const char *endpoint, int timeout_ms, struct address_list *out)
{
    struct host_port hp;
    int rc = convert(endpoint, false, &hp, out);
    if (rc != -EAGAIN)
        return rc;
    if (timeout_ms != 0)
        return lookup_until(&hp, deadline_in(timeout_ms), out);
    rc = ask(&hp, AI_NUMERICHOST, out);
    return rc == -EHOSTUNREACH ? -ETIMEDOUT : rc;
}
