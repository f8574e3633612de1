/* Priorities told of streams that are to come (RFC 9218 section 7): the latest of each. Together with those that are open they are no more than may be
 * open at once (section 7.1), which bounds them. */
#include "h2/h2.h"

#include <stdlib.h>

/* Those that have opened, or were skipped, are not to come any more. */
static void forget_past(struct h2 *h)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < h->early_count; i++)
        if (h->early[i].id > h->last_id)
            h->early[kept++] = h->early[i];
    h->early_count = kept;
}

static struct h2_early *find(const struct h2 *h, uint32_t id)
{
    for (uint8_t i = 0; i < h->early_count; i++)
        if (h->early[i].id == id)
            return &h->early[i];
    return NULL;
}

enum wire_error h2_early_keep(struct h2 *h, struct h2_early priority)
{
    forget_past(h);
    struct h2_early *at = find(h, priority.id);
    if (!at && h->early_count + h->streams >= LIMIT_H2_STREAMS)
        return WIRE_PROTOCOL_ERROR;
    if (!h->early && !(h->early = calloc(LIMIT_H2_STREAMS, sizeof(*h->early))))
        return WIRE_INTERNAL_ERROR;
    if (!at)
        at = &h->early[h->early_count++];
    *at = priority;
    return WIRE_NO_ERROR;
}

void h2_early_take(const struct h2 *h, uint32_t id, struct h2_early *priority)
{
    const struct h2_early *at = find(h, id);
    if (at)
        *priority = *at;
}
