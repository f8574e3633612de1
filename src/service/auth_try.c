#include "service/auth_try.h"

#include <stdio.h>
#include <string.h>

/* What is compared with when there is no such user in an empty file: yescrypt as `weir passwd` makes it, of nothing. */
static const char nobodys[] =
    "$y$j9T$weirweirweirweirweirw0$0000000000000000000000000000000000000000000";

static uint64_t number_of(const struct auth *auth, struct weir_bytes user, const char *hash,
                          const struct client *client)
{
    struct siphash s;
    siphash_init(&s, &auth->guards->key);
    siphash_add(&s, &auth, sizeof(auth));
    siphash_add(&s, user.at, user.len);
    siphash_add(&s, "", 1);
    if (hash)
        siphash_add(&s, hash, strlen(hash));
    if (client) {
        uint64_t number = guards_number(auth->guards, client, 0);
        siphash_add(&s, &number, sizeof(number));
    }
    return siphash_end(&s);
}

static struct siphash_128 who_of(const struct auth *auth, const struct credentials *said,
                                 const char *hash)
{
    struct siphash s;
    siphash_init_128(&s, &auth->guards->key);
    siphash_add(&s, &auth, sizeof(auth));
    siphash_add(&s, said->user.at, said->user.len);
    siphash_add(&s, "", 1); /* a NUL is in none of them */
    siphash_add(&s, hash, strlen(hash) + 1);
    siphash_add(&s, said->password, said->password_len);
    return siphash_end_128(&s);
}

/* For a name that is not there: one of the others, always the same, so that it takes as long as some name that is. */
static const char *hash_of_nobody(const struct auth *auth, const struct passwords *passwords,
                                  struct weir_bytes user)
{
    if (passwords->count == 0)
        return nobodys;
    return passwords->entries[number_of(auth, user, NULL, NULL) % passwords->count].hash;
}

void auth_try_fill(struct try *try, struct auth *auth, const struct client *client,
                   const struct passwords *passwords)
{
    const struct password_entry *entry = passwords_find(passwords, try->said.user);
    const char *hash = entry ? entry->hash : hash_of_nobody(auth, passwords, try->said.user);
    try->auth = auth;
    try->known = entry != NULL;
    snprintf(try->hash, sizeof(try->hash), "%s", hash);
    try->who = who_of(auth, &try->said, hash);
    try->from_number = guards_number(auth->guards, client, 0);
    try->client_number = guards_number(auth->guards, client, (uintptr_t)auth);
    try->user_number = number_of(auth, try->said.user, NULL, NULL);
    try->pair_number = number_of(auth, try->said.user, hash, client);
}
