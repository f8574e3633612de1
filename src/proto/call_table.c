#include "proto/call_table.h"

#include <stdlib.h>

#define LOAD 2u /* entries a bucket, on average, before there are more buckets */

static unsigned buckets(const struct call_table *table)
{
    return table->many ? table->mask + 1 : CALL_TABLE_FEW;
}

static struct call_entry **bucket(const struct call_table *table, uint64_t id)
{
    struct call_entry **first =
        table->many ? table->many : (struct call_entry **)(uintptr_t)table->few;
    return &first[id & (buckets(table) - 1)];
}

static void grow(struct call_table *table)
{
    unsigned before = buckets(table), after = before * 8;
    struct call_table larger = {.many = calloc(after, sizeof(*larger.many)), .mask = after - 1};
    if (!larger.many)
        return;
    for (unsigned i = 0; i < before; i++) {
        struct call_entry *entry, *next;
        for (entry = *bucket(table, i); entry; entry = next) {
            struct call_entry **to = bucket(&larger, entry->id);
            next = entry->next;
            entry->next = *to;
            *to = entry;
        }
    }
    free(table->many);
    table->many = larger.many;
    table->mask = larger.mask;
}

void call_table_add(struct call_table *table, struct call_entry *entry)
{
    if (table->count >= LOAD * buckets(table))
        grow(table);
    struct call_entry **to = bucket(table, entry->id);
    entry->next = *to;
    *to = entry;
    table->count++;
}

static struct call_entry **find(const struct call_table *table, uint64_t id)
{
    struct call_entry **at = bucket(table, id);
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

struct call_entry *call_table_find(const struct call_table *table, uint64_t id)
{
    return *find(table, id);
}

/* The last one gone, nothing is worth keeping. */
static struct call_entry *take_at(struct call_table *table, struct call_entry **at)
{
    struct call_entry *entry = *at;
    *at = entry->next;
    if (--table->count == 0) {
        free(table->many);
        *table = (struct call_table){0};
    }
    return entry;
}

struct call_entry *call_table_take(struct call_table *table, uint64_t id)
{
    struct call_entry **at = find(table, id);
    return *at ? take_at(table, at) : NULL;
}

/* Merges two lists that are in order. */
static struct call_entry *merge(struct call_entry *a, struct call_entry *b)
{
    struct call_entry *first = NULL, **last = &first;
    while (a && b) {
        struct call_entry **lower = a->id < b->id ? &a : &b;
        *last = *lower;
        last = &(*lower)->later;
        *lower = *last;
    }
    *last = a ? a : b;
    return first;
}

/* Lists in order that wait for another of their length: the i-th holds 2^i entries, or none. */
#define RUNS 32
struct sorter {
    struct call_entry *runs[RUNS];
};

static void sort_add(struct sorter *sorter, struct call_entry *entry)
{
    unsigned i = 0;
    entry->later = NULL;
    for (; sorter->runs[i] && i < RUNS - 1; i++) {
        entry = merge(sorter->runs[i], entry);
        sorter->runs[i] = NULL;
    }
    sorter->runs[i] = entry;
}

static struct call_entry *sort_end(struct sorter *sorter)
{
    struct call_entry *all = NULL;
    for (unsigned i = 0; i < RUNS; i++)
        all = merge(sorter->runs[i], all);
    return all;
}

struct call_entry *call_table_due(const struct call_table *table, uint64_t now_ns,
                                  uint64_t *out_next)
{
    struct sorter sorter = {0};
    uint64_t next = 0;
    for (unsigned i = 0; i < buckets(table); i++) {
        for (struct call_entry *entry = *bucket(table, i); entry; entry = entry->next) {
            uint64_t at = entry->deadline_ns;
            if (at && at <= now_ns)
                sort_add(&sorter, entry);
            else if (at && (!next || at < next))
                next = at;
        }
    }
    *out_next = next;
    return sort_end(&sorter);
}

struct call_entry *call_table_cut(struct call_table *table, uint64_t above)
{
    struct sorter sorter = {0};
    unsigned count = buckets(table);
    for (unsigned i = 0; i < count && table->count > 0; i++) {
        for (struct call_entry **at = bucket(table, i); table->count > 0 && *at;) {
            if ((*at)->id > above)
                sort_add(&sorter, take_at(table, at));
            else
                at = &(*at)->next;
        }
    }
    return sort_end(&sorter);
}
