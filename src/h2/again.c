/*
 * A request that is said again. Clients ask for the same with the same words: calls of gRPC, polls, load generators. Where a block is known
 * to mean what it meant before (hpack.h), its exchange begins as that of the last one did, read and judged: only what a head is made of is
 * kept, never what became of it.
 */
#include "h2/h2.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   768u
#define FIELDS_MAX 20u

struct h2_again {
    uint32_t known; /* of which block; 0: of none */
    bool ends;      /* it had no content: that is part of its length */
    bool expects, https;
    uint8_t method, form, field_count;
    struct h2_early priority;
    uint64_t length;
    struct slice line, target, path, query, host, protocol;
    uint32_t text_len;
    uint8_t ids[FIELD_IDS];
    struct field fields[FIELDS_MAX];
    char text[TEXT_MAX];
};

bool h2_again(const struct h2 *h, struct weir_exchange *x, const struct h2_block *block, bool ends,
              struct h2_early *priority)
{
    const struct h2_again *a = h->again;
    if (!a || !a->known || a->ends != ends || a->known != h2_known(&h->unpacker, block))
        return false;
    memcpy(x->tail, a->text, a->text_len);
    memcpy(x->fields, a->fields, a->field_count * sizeof(a->fields[0]));
    memcpy(x->known, a->ids, sizeof(a->ids));
    exchange_head_made(x, x->tail, a->text_len);
    x->h2 = true;
    x->minor = 1;
    x->line = a->line;
    x->target = a->target;
    x->path = a->path;
    x->query = a->query;
    x->host = a->host;
    x->protocol = a->protocol;
    x->length = a->length;
    x->method = a->method;
    x->form = a->form;
    x->field_count = a->field_count;
    x->expects = a->expects;
    x->https = a->https;
    *priority = a->priority;
    return true;
}

void h2_again_note(struct h2 *h, const struct weir_exchange *x, size_t text_len,
                   const struct h2_block *block, bool ends, const struct h2_early *priority)
{
    uint32_t known = h2_known(&h->unpacker, block);
    if (!known || x->head != x->tail || text_len > TEXT_MAX || x->field_count > FIELDS_MAX)
        return;
    if (!h->again)
        h->again = malloc(sizeof(*h->again));
    struct h2_again *a = h->again;
    if (!a)
        return;
    memcpy(a->text, x->tail, text_len);
    memcpy(a->fields, x->fields, x->field_count * sizeof(a->fields[0]));
    memcpy(a->ids, x->known, sizeof(a->ids));
    a->text_len = (uint32_t)text_len;
    a->known = known;
    a->ends = ends;
    a->line = x->line;
    a->target = x->target;
    a->path = x->path;
    a->query = x->query;
    a->host = x->host;
    a->protocol = x->protocol;
    a->length = x->length;
    a->method = x->method;
    a->form = x->form;
    a->field_count = x->field_count;
    a->expects = x->expects;
    a->https = x->https;
    a->priority = *priority;
}
