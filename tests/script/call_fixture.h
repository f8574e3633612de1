/*
 * tests/script/call_fixture.h: what the scripts of tests/script/calls talk to, and the fuzzer.
 *
 * | request | answer |
 * | --- | --- |
 * | `=WORDS` | the words |
 * | `!WORDS` | the error 7 with the words |
 * | `hold` | none, until `now` |
 * | `keep` | the same, and it does not let go when it is cancelled |
 * | `now` | the held ones in the order they came last first ("held"), then this one ("now") |
 * | `drop` | none at all |
 * | `big` | 100,000 times a dot |
 * | `end` | the connection ends with EBADMSG |
 * | `?WORDS` | asks the peer, without a time limit, and then answers how that ended: "0 CONTENT" or "ERRNO code CONTENT" |
 * | `~WORDS` | the same with a limit of 500 ms |
 * | `cancel` | gives up what was asked of the peer last: "done", or "nothing" |
 * | anything else | "what?" |
 */
#pragma once

#include "drive/sim.h"

int call_fixture_begin(struct sim *, void **out_world, const void **out_config);
/* Takes two requests at once, of 16 bytes; idle after 2 s, a ping after 1 s, dead after 3 s. */
int call_fixture_small(struct sim *, void **out_world, const void **out_config);
void call_fixture_end(void *world);
