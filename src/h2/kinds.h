/*
 * h2/kinds.h: what a connection and its streams are at, and what floods there are, as numbers.
 */
#pragma once

/* What a stream waits for, which is what its deadline is about. */
enum h2_wait { H2_WAITS_CONTENT, H2_WAITS_HANDLER, H2_WAITS_PEER };

enum h2_phase {
    H2_PREFACE, /* its first bytes, and its first SETTINGS, are not here yet */
    H2_SETTINGS,
    H2_OPEN,
    H2_LEAVING, /* the first GOAWAY is out: what was under way then is still accepted */
    H2_LAST,    /* the second is: no new streams */
    H2_OVER,    /* finish was called */
};

/* Frames that bring nothing, by kind. */
enum h2_flood {
    H2_FLOOD_RESETS,
    H2_FLOOD_REFUSED,
    H2_FLOOD_SETTINGS,
    H2_FLOOD_PINGS,
    H2_FLOOD_EMPTY,
    H2_FLOOD_PRIORITY,
    H2_FLOOD_WINDOWS,
    H2_FLOOD_UNKNOWN,
    H2_FLOODS,
};
