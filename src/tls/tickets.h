/*
 * tls/tickets.h: the keys of session tickets, in memory that all workers share.
 *
 * Each key is made from the one before it, one way, by whoever first sees that its time has come: so all workers have the
 * same, nobody hands them out, and a key whose time is over cannot be had again from what is left.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdint.h>

struct tickets;

/* NULL: no memory, or no random bytes. */
struct tickets *tickets_new(void);
void tickets_free(struct tickets *); /* NULL is fine */

/* What SSL_CTX_set_tlsext_ticket_key_evp_cb() wants, given the time: 1, 2: known but old, make a new one; 0: unknown; -1: failed. */
int tickets_key(struct tickets *, uint64_t wall_s, uint8_t name[16], uint8_t *iv, EVP_CIPHER_CTX *,
                EVP_MAC_CTX *, int encrypt);
