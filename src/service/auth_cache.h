/*
 * service/auth_cache.h: names and passwords that were found right lately, for all workers together, in memory that all processes share
 * which are forked later. There is no password in it: a keyed hash of 128 bits stands for user, password and the hash it was compared with,
 * so a user whose line was changed is not known any more. Lock-free; a slot that two write to at once matches nobody.
 */
#pragma once

#include "base/siphash.h"
#include "tbl/limits.h"

#include <weir/base.h>

struct auth_cache;

WEIR_CHECKED int auth_cache_new(struct auth_cache **out); /* 0 or -ENOMEM */
void auth_cache_free(struct auth_cache *);                /* NULL is fine */
/* Who is found stays for longer. */
bool auth_cache_find(struct auth_cache *, struct siphash_128 who, uint64_t now_ns);
void auth_cache_add(struct auth_cache *, struct siphash_128 who, uint64_t now_ns);
