/*
 * proto/call_table.h: calls under way, found by their id. Chains in buckets; at rest it owns no memory.
 *
 * Ids come in sequence, so the low bits spread them evenly, and a peer that wants long chains has to keep as many calls
 * under way; their number is bounded by who owns the table.
 */
#pragma once

#include <weir/base.h>

#define CALL_TABLE_FEW 4u

struct call_entry {
    struct call_entry *next;  /* in its bucket */
    struct call_entry *later; /* in a list that is being worked off */
    uint64_t id;
    uint64_t deadline_ns; /* 0: none */
};

struct call_table {
    struct call_entry *few[CALL_TABLE_FEW];
    struct call_entry **many; /* NULL: few are enough */
    unsigned mask;            /* of `many` */
    unsigned count;
};

/* The id is not in it yet. Grows if there is memory for that, else chains get longer. */
void call_table_add(struct call_table *, struct call_entry *);
/* NULL: not in it. */
struct call_entry *call_table_find(const struct call_table *, uint64_t id);
/* NULL: not in it; the caller owns it now. */
struct call_entry *call_table_take(struct call_table *, uint64_t id);
/* All whose deadline has passed, in the order of their ids, as a list over `later`; *out_next: the first deadline of the
 * others, 0: none. They stay in the table. */
struct call_entry *call_table_due(const struct call_table *, uint64_t now_ns, uint64_t *out_next);
/* Takes out all with a higher id, as a list over `later`, in the order of their ids. */
struct call_entry *call_table_cut(struct call_table *, uint64_t above);
