/*
 * proto/relay_rate.h: when bytes may pass: a bucket kept as one number, the time up to which all has been given away. Time is given,
 * never read.
 *
 * Who has bytes books a piece and passes it when its time has come; then it books the next. So all who share a bucket take turns. The
 * number may lie in memory that several threads and processes share.
 */
#pragma once

#include <weir/protocols.h>

/* The most that is booked at once. */
size_t relay_rate_piece(uint64_t rate);
/* Books so many bytes; they may pass from the time returned (mono_ns) on, which can lie in the past. `rate` > 0. */
uint64_t relay_rate_book(struct weir_relay_rate *, uint64_t rate, uint64_t now_ns, size_t bytes);
/* When to come for bytes that may pass at `at_ns`: a little later, so that not every piece is a wake-up. */
uint64_t relay_rate_wake(uint64_t at_ns);
