/* Files of private keys, read in the process that keeps them and nowhere else. */
#include "base/text.h"
#include "keys/impl.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

/* Nobody is there to be asked for one. */
static int no_password(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

EVP_PKEY *store_read(const char *file, char *why, size_t why_size)
{
    struct text t;
    EVP_PKEY *key = NULL;
    ERR_clear_error();
    BIO *from = BIO_new_file(file, "r");
    int error = from ? 0 : errno;
    if (from)
        key = PEM_read_bio_PrivateKey(from, NULL, no_password, NULL);
    BIO_free(from);
    if (!key) {
        const char *reason = error ? strerrordesc_np(error) : NULL;
        text_init(&t, why, why_size);
        text_fmt(&t, "cannot use the key %s: %s", file,
                 reason ? reason : "it holds none that can be read without a password");
        text_end(&t);
    }
    ERR_clear_error();
    return key;
}

static void forget(struct held_key *held)
{
    EVP_PKEY_free(held->key);
    *held = (struct held_key){.key = NULL};
}

static void take(struct key_file *file, EVP_PKEY *key)
{
    struct held_key next = {.key = key};
    if (!keys_id(key, next.id)) {
        EVP_PKEY_free(key);
        return;
    }
    if (file->now.key && memcmp(file->now.id, next.id, KEYS_ID) == 0) {
        forget(&file->now); /* read again, and the same */
    } else {
        forget(&file->before);
        file->before = file->now;
    }
    file->now = next;
}

static void say_bad(const struct keys *keys, const struct key_file *file, const char *why)
{
    char line[500];
    struct text t;
    text_init(&t, line, sizeof(line));
    text_str(&t, why);
    text_str(&t, file->now.key ? " (the one before stays in force)" : "");
    keys->say(keys->say_arg, text_end(&t));
}

void store_look(struct keys *keys)
{
    char why[400];
    for (size_t i = 0; i < keys->count; i++) {
        struct key_file *file = &keys->files[i];
        uint64_t mark = keys_mark_file(file->name, 0);
        if (mark == file->mark)
            continue;
        file->mark = mark;
        EVP_PKEY *key = store_read(file->name, why, sizeof(why));
        if (key)
            take(file, key);
        else if (keys->say)
            say_bad(keys, file, why);
    }
    keys->looked_ms = keys_now_ms();
}

static EVP_PKEY *find(const struct keys *keys, const uint8_t id[KEYS_ID])
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct held_key *held[] = {&keys->files[i].now, &keys->files[i].before};
        for (size_t k = 0; k < 2; k++)
            if (held[k]->key && memcmp(held[k]->id, id, KEYS_ID) == 0 &&
                EVP_PKEY_up_ref(held[k]->key) == 1)
                return held[k]->key;
    }
    return NULL;
}

EVP_PKEY *store_find(struct keys *keys, const uint8_t id[KEYS_ID], bool look)
{
    pthread_mutex_lock(&keys->store_lock);
    EVP_PKEY *key = look ? NULL : find(keys, id);
    if (!key && keys_now_ms() - keys->looked_ms >= LIMIT_KEYS_LOOK_MS)
        store_look(keys);
    if (!key)
        key = find(keys, id);
    pthread_mutex_unlock(&keys->store_lock);
    return key;
}

void store_forget(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        forget(&keys->files[i].now);
        forget(&keys->files[i].before);
    }
}
