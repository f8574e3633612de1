/*
 * h2/key.h: whatever a head's lines are made of. Two heads of one connection with the same key have the same lines: the second is packed
 * already (hpack.h). Who packs says what is in it. A struct at the most.
 */
#pragma once

#include <weir/base.h>

#define H2_KEY_NUMBERS 2u
#define H2_KEY_PARTS   3u

struct h2_key {
    uint64_t number[H2_KEY_NUMBERS];
    struct weir_bytes part[H2_KEY_PARTS];
};
