/* stream/lookup.h: host names to addresses, with a deadline that getaddrinfo(3) itself does not have. */
#pragma once

#include "stream/transport.h"

/* Waits for as long as the resolver takes. Errors as address_lookup(). */
int lookup(const struct host_port *, bool passive, struct address_list *out) WEIR_CHECKED;
/* The same until the deadline: -ETIMEDOUT. What is numeric is answered at once. */
int lookup_until(const struct host_port *, uint64_t deadline,
                 struct address_list *out) WEIR_CHECKED;
