#include "model/handoff.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int handoff_init(struct handoff *handoff, unsigned max)
{
    *handoff = (struct handoff){.max = max};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&handoff->lock, NULL);
    pthread_cond_init(&handoff->work, &attributes);
    pthread_condattr_destroy(&attributes);
    handoff->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return handoff->bell < 0 ? -errno : 0;
}

void handoff_done(struct handoff *handoff)
{
    if (handoff->bell >= 0)
        close(handoff->bell);
    pthread_cond_destroy(&handoff->work);
    pthread_mutex_destroy(&handoff->lock);
}

unsigned handoff_room(struct handoff *handoff, bool late, uint64_t *out_taken)
{
    pthread_mutex_lock(&handoff->lock);
    unsigned room = handoff->max - handoff->count;
    handoff->want_news = room == 0 || (late && handoff->count > 0);
    *out_taken = handoff->taken;
    pthread_mutex_unlock(&handoff->lock);
    return room;
}

void handoff_give(struct handoff *handoff, struct guest *guest)
{
    guest->next = NULL;
    pthread_mutex_lock(&handoff->lock);
    *(handoff->last ? &handoff->last->next : &handoff->first) = guest;
    handoff->last = guest;
    handoff->count++;
    pthread_cond_signal(&handoff->work);
    pthread_mutex_unlock(&handoff->lock);
}

struct guest *handoff_collect(struct handoff *handoff)
{
    eventfd_t rung;
    (void)eventfd_read(handoff->bell, &rung);
    pthread_mutex_lock(&handoff->lock);
    struct guest *back = handoff->back, *oldest = NULL;
    handoff->back = NULL;
    pthread_mutex_unlock(&handoff->lock);
    while (back) {
        struct guest *next = back->next;
        back->next = oldest;
        oldest = back;
        back = next;
    }
    return oldest;
}

void handoff_end(struct handoff *handoff)
{
    pthread_mutex_lock(&handoff->lock);
    handoff->over = true;
    pthread_cond_broadcast(&handoff->work);
    pthread_mutex_unlock(&handoff->lock);
}

/* false: the time has come. */
static bool wait_for_work(struct handoff *handoff, uint64_t until_ns)
{
    if (!until_ns)
        return pthread_cond_wait(&handoff->work, &handoff->lock) == 0;
    struct timespec until = {.tv_sec = (time_t)(until_ns / WEIR_NS_PER_S),
                             .tv_nsec = (long)(until_ns % WEIR_NS_PER_S)};
    return pthread_cond_timedwait(&handoff->work, &handoff->lock, &until) == 0;
}

struct guest *handoff_take(struct handoff *handoff, uint64_t until_ns, bool *out_over)
{
    pthread_mutex_lock(&handoff->lock);
    while (!handoff->first && !handoff->over && wait_for_work(handoff, until_ns))
        ;
    struct guest *guest = handoff->first;
    *out_over = !guest && handoff->over;
    bool ring = false;
    if (guest) {
        handoff->first = guest->next;
        if (!handoff->first)
            handoff->last = NULL;
        handoff->count--;
        handoff->taken++;
        ring = handoff->want_news;
        handoff->want_news = false;
    }
    pthread_mutex_unlock(&handoff->lock);
    if (ring)
        eventfd_write(handoff->bell, 1);
    return guest;
}

void handoff_return(struct handoff *handoff, struct guest *guest)
{
    pthread_mutex_lock(&handoff->lock);
    bool ring =
        !handoff->back; /* else the bell rang already and the list was not looked at since */
    guest->next = handoff->back;
    handoff->back = guest;
    pthread_mutex_unlock(&handoff->lock);
    if (ring)
        eventfd_write(handoff->bell, 1);
}
