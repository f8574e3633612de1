/* keys/impl.h: the set of keys, seen from inside. Included by keys/ alone. */
#pragma once

#include "keys/wire.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdatomic.h>

/* One private key; in the process that keeps them. */
struct held_key {
    EVP_PKEY *key; /* NULL: none */
    uint8_t id[KEYS_ID];
};

struct key_file {
    char *name;
    uint64_t mark;               /* of what was read last */
    struct held_key now, before; /* a worker may still show the certificate of the one before */
};

struct keys {
    struct keys *next; /* of all of this program */
    struct keys_door door;
    OSSL_LIB_CTX *library; /* has our provider, and nothing else */
    OSSL_PROVIDER *provider;
    _Atomic uint32_t number;
    pthread_mutex_t lock; /* of what follows */
    int idle[LIMIT_KEYS_IDLE];
    unsigned idle_count;
    bool asked; /* this process has had an answer */
    /* The process's own. */
    pthread_mutex_t store_lock;
    struct key_file files[LIMIT_KEYS];
    size_t count;
    uint64_t looked_ms;
    void (*say)(void *arg, const char *text); /* NULL: nobody hears it */
    void *say_arg;
};

/* provider.c: an OpenSSL library with our provider; NULL: no memory. */
OSSL_LIB_CTX *keys_provider(OSSL_PROVIDER **out);

/* store.c: files of keys, in the process that keeps them. */
/* Reads one. NULL: `why` says what is wrong with it. */
EVP_PKEY *store_read(const char *file, char *why, size_t why_size);
/* Reads those that changed; a file that cannot be used keeps the key it had, and it is said once. */
void store_look(struct keys *);
/* A reference, or NULL; looks at the files first, or when it is not known. */
EVP_PKEY *store_find(struct keys *, const uint8_t id[KEYS_ID], bool look);
void store_forget(struct keys *);

/* lock_down.c: gives up what a process that only signs does not need, as far as the system lets it. */
void keys_lock_down(void);

uint64_t keys_now_ms(void);
