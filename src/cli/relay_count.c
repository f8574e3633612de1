/* Counters with one writer each, in shared memory: a place for each thread or process that looks after connections. */
#include "cli/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <sys/mman.h>
#include <unistd.h>

/* A cache line each, so that writers do not slow each other down. */
struct place {
    alignas(64) struct weir_relay_counts counts; /* first */
    _Atomic int owner;                           /* process id; 0: free, its sums stay */
};

struct relay_table {
    struct weir_relay_rate rate;
    size_t bytes;
    unsigned count;
    struct place places[];
};

struct relay_table *relay_table_new(unsigned writers)
{
    size_t bytes = sizeof(struct relay_table) + writers * sizeof(struct place);
    /* Untouched pages cost nothing. */
    struct relay_table *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table == MAP_FAILED)
        return NULL;
    table->bytes = bytes;
    table->count = writers;
    return table;
}

void relay_table_free(struct relay_table *table)
{
    if (table)
        munmap(table, table->bytes);
}

static bool is_dead(int process)
{
    return kill(process, 0) < 0 && errno == ESRCH;
}

static bool claim(struct place *place, int owner)
{
    return atomic_compare_exchange_strong(&place->owner, &owner, getpid());
}

/* What a killed process had open is closed. */
static bool claim_from_the_dead(struct place *place)
{
    int owner = atomic_load(&place->owner);
    if (owner == 0 || !is_dead(owner) || !claim(place, owner))
        return false;
    atomic_store(&place->counts.open, 0);
    return true;
}

struct weir_relay_counts *relay_table_claim(struct relay_table *table)
{
    for (unsigned i = 0; i < table->count; i++)
        if (atomic_load_explicit(&table->places[i].owner, memory_order_relaxed) == 0 &&
            claim(&table->places[i], 0))
            return &table->places[i].counts;
    for (unsigned i = 0; i < table->count; i++)
        if (claim_from_the_dead(&table->places[i]))
            return &table->places[i].counts;
    return NULL;
}

void relay_table_release(struct weir_relay_counts *counts)
{
    if (counts)
        atomic_store(&((struct place *)(void *)counts)->owner, 0);
}

struct weir_relay_rate *relay_table_rate(struct relay_table *table)
{
    return &table->rate;
}

static uint64_t read_one(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

void relay_table_sum(const struct relay_table *table, struct relay_sums *out)
{
    *out = (struct relay_sums){0};
    for (unsigned i = 0; i < table->count; i++) {
        const struct place *place = &table->places[i];
        uint64_t open = read_one(&place->counts.open);
        int owner = atomic_load_explicit(&place->owner, memory_order_relaxed);
        out->connections += read_one(&place->counts.connections);
        out->errors += read_one(&place->counts.errors);
        out->to_target += read_one(&place->counts.to_target);
        out->to_client += read_one(&place->counts.to_client);
        if (open > 0 && owner > 0 && !is_dead(owner))
            out->open += open;
    }
}
