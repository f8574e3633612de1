/*
 * tests/unit/http/world.h: a driver of nothing but memory, and a connection whose bytes a test holds in its hands.
 */
#pragma once

#include "../base/check.h"
#include "base/pool.h"

#include <weir/conn.h>
#include <weir/driver.h>
#include <weir/http.h>

#define WORLD_OUTPUT (1024 * 1024)

struct world {
    struct weir_driver driver;
    struct weir_pool pool;
    uint8_t hot[65536];
    struct weir_conn *conn;
    unsigned want; /* of the last turn */
    unsigned wakes;
    size_t gathers; /* how many writes it took */
    size_t spans;   /* and spans in all */
    char output[WORLD_OUTPUT];
    size_t output_len;
};

/* Sun, 06 Nov 1994 08:49:37 GMT, and 1000 s since start. */
struct world *world_new(void);
void world_free(struct world *);
void world_connect(struct world *, const struct weir_protocol *, const void *config);
/* Turns until nothing moves; what is sent lands in `output`. */
void world_turn(struct world *);
/* Feeds bytes, in pieces of at most `piece`, with turns between. */
void world_feed(struct world *, const char *bytes, size_t len, size_t piece);
void world_say(struct world *, const char *text);
/* The output so far as a string; the next begins empty. */
const char *world_take(struct world *);
bool world_closed(const struct world *);
void world_wait(struct world *, uint64_t ms);
