/*
 * tests/script/alloc.h: an allocator that counts and can fail. Link with alloc.c and with what alloc_link says in
 * meson.build (the linker's --wrap): every allocation of the program then comes through here, those inside libc aside.
 * Not for several threads.
 */
#pragma once

#include <stdbool.h>

/* Allocations that were not freed yet. */
long alloc_live(void);
/* Calls so far that allocate. */
unsigned long alloc_calls(void);
/* Lets the call number `from_now` fail (0: the next one), and with `all` every later one too, until alloc_heal(). */
void alloc_fail(unsigned long from_now, bool all);
void alloc_heal(void);
