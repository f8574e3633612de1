/* Resets that are put off. An answer that is complete before its request is ends with RST_STREAM, NO_ERROR (RFC 9113 section 8.1), so that the
 * client sends no more. Clients that find both in one read have been seen to throw the answer away, which that section forbids: curl 7.88 of
 * Debian 12 is one. So the answer goes ahead; meanwhile what comes is ignored, and the stream's window is a bound to it. */
#include "h2/h2.h"

#include <string.h>

static void forget(struct h2 *h, unsigned at)
{
    h->owed_count--;
    memmove(h->owed + at, h->owed + at + 1, (h->owed_count - at) * sizeof(h->owed[0]));
}

static void pay_first(struct h2 *h)
{
    uint32_t id = h->owed[0].id;
    forget(h, 0);
    h2_send_reset(h, id, WIRE_NO_ERROR);
}

void h2_owe_reset(struct h2 *h, uint32_t id)
{
    if (h->owed_count == LIMIT_H2_OWED)
        pay_first(h);
    h->owed[h->owed_count++] = (struct h2_owed){id, h2_now(h) + LIMIT_H2_OWED_MS * WEIR_NS_PER_MS};
    h2_ended_add(&h->ended, id, true);
}

void h2_not_owed(struct h2 *h, uint32_t id)
{
    for (unsigned i = 0; i < h->owed_count; i++)
        if (h->owed[i].id == id) {
            forget(h, i);
            return;
        }
}

uint64_t h2_owed_ns(const struct h2 *h)
{
    return h->owed_count > 0 ? h->owed[0].at_ns : 0;
}

void h2_pay_resets(struct h2 *h)
{
    while (h->owed_count > 0 && h->owed[0].at_ns <= h2_now(h))
        pay_first(h);
}
