/*
 * keys/keys.h: private keys in a process of their own, which only signs. It alone opens the files of keys. The others have the public
 * half, with which OpenSSL does all but sign; a signature is asked for over a socket, and only what a TLS server signs in a handshake
 * is signed. docs/decisions/0012 says why it is made so.
 *
 * The set of keys is made before any fork. Each process that wants a signature opens a way of its own to the one that keeps them; if that one
 * is dead, its successor finds the ways that were asked for meanwhile.
 */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_ID 32 /* SHA-256 of the public key (SubjectPublicKeyInfo) */

struct keys;

/* `files` are copied. 0 or -errno. */
int keys_new(const char *const *files, size_t count, struct keys **out);
void keys_free(struct keys *); /* NULL is fine */

/* The process: until `stop` hangs up. A line of what is wrong goes to `say`. 0 or -errno. */
int keys_run(struct keys *, int stop, void (*say)(void *arg, const char *text), void *arg);
/* Is file number i a key that fits this public one? In a child that ends at once, so that nothing of it is left here. 0; -errno, and `why`
 * in one line. For the start: a process that keeps them is not needed. */
int keys_check(struct keys *, size_t i, const EVP_PKEY *public, char *why, size_t why_size);

/* A key with the public half of `public` whose signatures are made there. NULL: no memory, or of no kind that TLS knows. */
EVP_PKEY *keys_remote(struct keys *, EVP_PKEY *public);
/* Does the process have this key? It looks at its files again if not. 1, 0, -errno: it does not answer. */
int keys_have(struct keys *, EVP_PKEY *public);

/* A whole file, with a zero behind it; its length, or -errno (-EFBIG: `max` bytes or more). *out is the caller's to free. */
int keys_read_bytes(const char *file, size_t max, char **out);
/* The same of one that holds no secrets: -EKEYREJECTED if it does, and no byte of it is left in this process. */
int keys_read_public(const char *file, char **out);
/* A number that changes with the file, or its absence; for several: that of those before. NULL is fine. */
uint64_t keys_mark_file(const char *file, uint64_t mark);

/* false: no memory. */
bool keys_id(const EVP_PKEY *public, uint8_t id[KEYS_ID]);
