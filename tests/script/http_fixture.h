/*
 * tests/script/http_fixture.h: a small site in memory, so that HTTP can be talked to without a kernel: for scripts, fuzzers
 * and unit tests.
 *
 *   /hello   "hello\n"                      /none     no handler: 404
 *   /big     100,000 bytes, in pieces       /denied   -EACCES: 403
 *   /chunks  "one", "two", "three" in       /never    no answer: 504 at the deadline
 *            chunks                         /late     its own deadline of a second, then "late\n"
 *   /file    70,000 bytes of a file         /slow     a job, then "slow\n"
 *   /echo    the request's content          /stream   endless until leave() or the peer goes
 *   /count   "N\n": content bytes           /short    promises ten bytes and gives five
 *   /content 70,000 bytes with validators,  /reset    205, though it gives content
 *            in memory                      /host     the host as the server understood it
 *   /stored  the same in a file             /coded    the same, said to be coded
 */
#pragma once

#include "drive/sim.h"

#include <weir/http.h>

/* Deadlines: head 1 s, idle 5 s, content 2 s, sending 4 s, answers 3 s. */
int http_fixture_begin(struct sim *, void **out_world, const void **out_config);
/* HTTP/2 to those who begin with it. */
int http_fixture_clear(struct sim *, void **out_world, const void **out_config);
/* At most 10 bytes of content, a Server field, and the library's deadlines. */
int http_fixture_small(struct sim *, void **out_world, const void **out_config);
/* A request line of 100 bytes, 200 bytes and 5 lines of fields, 100 bytes of content a second. */
int http_fixture_limits(struct sim *, void **out_world, const void **out_config);
/* Content may take its time. */
int http_fixture_any_rate(struct sim *, void **out_world, const void **out_config);
void http_fixture_end(void *world);
