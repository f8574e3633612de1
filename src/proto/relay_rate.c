#include "proto/relay_rate.h"

#include "tbl/limits.h"

/* So much can be saved up by silence or by coming late. */
#define BURST_NS (LIMIT_RELAY_BURST_MS * WEIR_NS_PER_MS)

static uint64_t bounded(uint64_t rate)
{
    return rate < LIMIT_RELAY_RATE ? rate : LIMIT_RELAY_RATE;
}

/* Rounded up: a rate is not exceeded by rounding. */
static uint64_t cost_ns(uint64_t rate, size_t bytes)
{
    return (bytes * WEIR_NS_PER_S + rate - 1) / rate;
}

size_t relay_rate_piece(uint64_t rate)
{
    uint64_t bytes = bounded(rate) * (BURST_NS / 2) / WEIR_NS_PER_S;
    if (bytes < 1)
        return 1;
    return bytes < LIMIT_OUT_BYTES ? (size_t)bytes : LIMIT_OUT_BYTES;
}

uint64_t relay_rate_book(struct weir_relay_rate *bucket, uint64_t rate, uint64_t now_ns,
                         size_t bytes)
{
    uint64_t cost = cost_ns(bounded(rate), bytes),
             oldest = now_ns > BURST_NS ? now_ns - BURST_NS : 0;
    uint64_t given = atomic_load_explicit(&bucket->given_ns, memory_order_relaxed);
    for (unsigned tries = 0; given < oldest && tries < LIMIT_RELAY_RATE_TRIES; tries++)
        if (atomic_compare_exchange_weak_explicit(&bucket->given_ns, &given, oldest + cost,
                                                  memory_order_relaxed, memory_order_relaxed))
            return oldest;
    return atomic_fetch_add_explicit(&bucket->given_ns, cost, memory_order_relaxed);
}

uint64_t relay_rate_wake(uint64_t at_ns)
{
    return at_ns + BURST_NS / 4;
}
