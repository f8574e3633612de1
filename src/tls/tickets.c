#include "tls/tickets.h"

#include "tbl/limits.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#define KEPT                                                                                       \
    4 /* the one in use, the one before it, and two places that a slow reader does not look at */
#define WORDS 12

/* As words, so that one process may read while another writes; `epoch` tells whether it was all of one key. */
struct place {
    _Atomic uint64_t epoch; /* plus one; 0: empty, or being written */
    _Atomic uint64_t words[WORDS];
};

struct key {
    uint8_t name[16];
    uint8_t cipher[32];
    uint8_t mac[32];
    uint8_t seed[16]; /* of what follows, with all the rest */
};
_Static_assert(sizeof(struct key) == WORDS * sizeof(uint64_t), "a key is made of words");

struct tickets {
    _Atomic uint64_t first_s; /* when the first key began; 0: not yet */
    _Atomic uint64_t newest;
    struct place places[KEPT];
};

static void write_key(struct tickets *tickets, uint64_t epoch, const struct key *key)
{
    uint64_t words[WORDS];
    struct place *place = &tickets->places[epoch % KEPT];
    memcpy(words, key, sizeof(words));
    atomic_store(&place->epoch, 0);
    for (unsigned i = 0; i < WORDS; i++)
        atomic_store(&place->words[i], words[i]);
    atomic_store(&place->epoch, epoch + 1);
    OPENSSL_cleanse(words, sizeof(words));
}

static bool read_key(struct tickets *tickets, uint64_t epoch, struct key *out)
{
    uint64_t words[WORDS];
    struct place *place = &tickets->places[epoch % KEPT];
    if (atomic_load(&place->epoch) != epoch + 1)
        return false;
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = atomic_load(&place->words[i]);
    memcpy(out, words, sizeof(words));
    return atomic_load(&place->epoch) == epoch + 1;
}

static void erase_key(struct tickets *tickets, uint64_t epoch)
{
    static const struct key nothing;
    write_key(tickets, epoch, &nothing);
    atomic_store(&tickets->places[epoch % KEPT].epoch, 0);
}

/* Two who do so at once write the same bytes. */
static bool make_next(struct tickets *tickets, uint64_t newest)
{
    struct key key, next;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len;
    if (!read_key(tickets, newest, &key))
        return atomic_load(&tickets->newest) != newest; /* somebody else was faster */
    bool ok = true;
    for (uint8_t part = 0; part < 2 && ok; part++) {
        uint8_t text[sizeof(key) + 1];
        memcpy(text, &key, sizeof(key));
        text[sizeof(key)] = part;
        ok = EVP_Digest(text, sizeof(text), digest, &len, EVP_sha384(), NULL) == 1;
        memcpy((uint8_t *)&next + part * 48, digest, 48);
        OPENSSL_cleanse(text, sizeof(text));
    }
    if (ok) {
        write_key(tickets, newest + 1, &next);
        atomic_compare_exchange_strong(&tickets->newest, &newest, newest + 1);
        if (newest > 0)
            erase_key(tickets, newest - 1);
    }
    OPENSSL_cleanse(&key, sizeof(key));
    OPENSSL_cleanse(&next, sizeof(next));
    OPENSSL_cleanse(digest, sizeof(digest));
    return ok;
}

/* After a long sleep there are several to make; nothing older than one before the newest is of use. */
static uint64_t newest_now(struct tickets *tickets, uint64_t wall_s)
{
    uint64_t first = 0;
    if (atomic_compare_exchange_strong(&tickets->first_s, &first, wall_s))
        first = wall_s;
    uint64_t due = wall_s > first ? (wall_s - first) / LIMIT_TLS_TICKET_S : 0;
    for (unsigned tries = 0; tries < 64; tries++) {
        uint64_t newest = atomic_load(&tickets->newest);
        if (newest >= due || !make_next(tickets, newest))
            break;
    }
    return atomic_load(&tickets->newest);
}

struct tickets *tickets_new(void)
{
    struct key key;
    struct tickets *tickets =
        mmap(NULL, sizeof(*tickets), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tickets == MAP_FAILED)
        return NULL;
    if (RAND_priv_bytes((uint8_t *)&key, sizeof(key)) != 1) {
        tickets_free(tickets);
        return NULL;
    }
    write_key(tickets, 0, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    return tickets;
}

void tickets_free(struct tickets *tickets)
{
    if (!tickets)
        return;
    OPENSSL_cleanse(tickets, sizeof(*tickets));
    munmap(tickets, sizeof(*tickets));
}

static bool init_mac(EVP_MAC_CTX *mac, struct key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, sizeof(digest) - 1),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int encrypt_with(struct key *key, uint8_t name[16], uint8_t *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac)
{
    memcpy(name, key->name, sizeof(key->name));
    bool ok = RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
              EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) == 1 &&
              init_mac(mac, key);
    return ok ? 1 : -1;
}

static int decrypt_with(struct key *key, const uint8_t *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac)
{
    bool ok = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) == 1 &&
              init_mac(mac, key);
    return ok ? 1 : -1;
}

int tickets_key(struct tickets *tickets, uint64_t wall_s, uint8_t name[16], uint8_t *iv,
                EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    struct key key;
    uint64_t newest = newest_now(tickets, wall_s);
    int rc = 0;
    if (encrypt) {
        /* 0: no ticket this time; the connection is none the worse for it. */
        rc = read_key(tickets, newest, &key) ? encrypt_with(&key, name, iv, cipher, mac) : 0;
    } else {
        for (unsigned age = 0; age < 2 && age <= newest && rc == 0; age++) {
            if (read_key(tickets, newest - age, &key) &&
                CRYPTO_memcmp(name, key.name, sizeof(key.name)) == 0)
                rc = decrypt_with(&key, iv, cipher, mac);
            if (rc == 1 && age > 0)
                rc = 2;
        }
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return rc;
}
