#include "service/password.h"

#include "base/bytes.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* crypt(5): "./0-9A-Za-z" stand for 0 to 63. */
static int digit_of(char c)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool is_tail(struct weir_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (digit_of(text.at[i]) < 0)
            return false;
    return true;
}

/* "$y$j9T$salt$hash": after the j, which flavour it is, the logarithm of N, then r; nothing else is made by anybody. */
static const char *yescrypt_wrong(struct weir_bytes rest)
{
    int n = rest.len > 4 ? digit_of(rest.at[1]) : -1, r = rest.len > 4 ? digit_of(rest.at[2]) : -1;
    if (n < 0 || r < 0 || rest.at[0] != 'j' || rest.at[3] != '$' || r > 47)
        return "its yescrypt parameters are not those of crypt(5)";
    const char *salt = rest.at + 4, *end = rest.at + rest.len;
    const char *dollar = memchr(salt, '$', (size_t)(end - salt));
    if (!dollar || dollar == salt || end - dollar - 1 != 43 ||
        !is_tail((struct weir_bytes){salt, (size_t)(dollar - salt)}) ||
        !is_tail((struct weir_bytes){dollar + 1, 43}))
        return "it is not a whole yescrypt hash";
    if (n + 1 >= 31 || ((uint64_t)(r + 1) << (n + 1)) > LIMIT_AUTH_YESCRYPT)
        return "comparing with it would take too much time and memory: 64 MiB at the most";
    return NULL;
}

/* "$2b$10$" and 53 digits. */
static const char *bcrypt_wrong(struct weir_bytes rest)
{
    uint64_t cost;
    if (rest.len != 56 || rest.at[2] != '$' ||
        bytes_u64((struct weir_bytes){rest.at, 2}, &cost) < 0 || cost < 4 ||
        !is_tail((struct weir_bytes){rest.at + 3, 53}))
        return "it is not a whole bcrypt hash";
    if (cost > LIMIT_AUTH_BCRYPT)
        return "comparing with it would take too long: a cost of 13 at the most";
    return NULL;
}

/* "$6$rounds=N$salt$hash", the rounds left out where they are 5000. */
static const char *sha512_wrong(struct weir_bytes rest)
{
    const struct weir_bytes word = BYTES("rounds=");
    const char *dollar = memchr(rest.at, '$', rest.len);
    if (dollar && bytes_starts(rest, word)) {
        struct weir_bytes number = {rest.at + word.len, (size_t)(dollar - rest.at) - word.len};
        uint64_t rounds;
        if (bytes_u64(number, &rounds) < 0 || rounds < 1000)
            return "it is not a whole sha512-crypt hash";
        if (rounds > LIMIT_AUTH_SHA512)
            return "comparing with it would take too long: 500000 rounds at the most";
        rest.len -= (size_t)(dollar + 1 - rest.at);
        rest.at = dollar + 1;
        dollar = memchr(rest.at, '$', rest.len);
    }
    if (!dollar || dollar - rest.at > 16 || rest.at + rest.len - dollar - 1 != 86 ||
        !is_tail((struct weir_bytes){dollar + 1, 86}))
        return "it is not a whole sha512-crypt hash";
    return NULL;
}

static const struct {
    const char *prefix;
    const char *(*wrong)(struct weir_bytes rest);
} methods[] = {
    {"$y$", yescrypt_wrong}, {"$2b$", bcrypt_wrong}, {"$2y$", bcrypt_wrong},
    {"$2a$", bcrypt_wrong},  {"$6$", sha512_wrong},
};

static const char *hash_wrong(struct weir_bytes hash)
{
    if (hash.len >= PASSWORD_HASH_MAX || (hash.len > 0 && memchr(hash.at, '\0', hash.len)))
        return "it is longer than any hash";
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct weir_bytes prefix = bytes_str(methods[i].prefix);
        if (bytes_starts(hash, prefix))
            return methods[i].wrong(
                (struct weir_bytes){hash.at + prefix.len, hash.len - prefix.len});
    }
    return "only yescrypt ($y$), bcrypt ($2b$) and sha512-crypt ($6$) are taken: make it anew with "
           "weir passwd";
}

int password_hash_check(struct weir_bytes hash, char *why, size_t why_size)
{
    const char *wrong = hash_wrong(hash);
    if (!wrong)
        return 0;
    snprintf(why, why_size, "%s", wrong);
    return -EINVAL;
}

bool password_user_valid(struct weir_bytes user)
{
    if (user.len == 0 || user.len > LIMIT_AUTH_NAME)
        return false;
    for (size_t i = 0; i < user.len; i++) {
        unsigned char c = (unsigned char)user.at[i];
        if (c < 0x20 || c == 0x7f || c == ':')
            return false;
    }
    return true;
}

/* --- files --- */

static int compare(struct weir_bytes a, struct weir_bytes b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_user(const void *a, const void *b)
{
    const struct password_entry *one = a, *other = b;
    int order = compare(one->user, other->user);
    return order ? order : (one->line > other->line) - (one->line < other->line);
}

/* The colon and the line's end become NULs. */
static const char *read_line(char *line, size_t len, struct password_entry *out, char *why,
                             size_t why_size)
{
    char *colon = memchr(line, ':', len);
    if (!colon)
        return "a line is USER:HASH";
    struct weir_bytes hash = {colon + 1, (size_t)(line + len - colon - 1)};
    out->user = (struct weir_bytes){line, (size_t)(colon - line)};
    out->hash = colon + 1;
    if (!password_user_valid(out->user))
        return "a name has 1 to 255 bytes, no colon and no control characters";
    if (password_hash_check(hash, why, why_size) < 0)
        return why;
    *colon = '\0';
    return NULL;
}

static int refuse(const char *what, unsigned line, unsigned *out_line, char *why, size_t why_size)
{
    *out_line = line;
    if (what != why)
        snprintf(why, why_size, "%s", what);
    return -EINVAL;
}

static int read_lines(struct passwords *passwords, size_t len, unsigned *out_line, char *why,
                      size_t why_size)
{
    unsigned line = 1;
    for (char *at = passwords->text, *end = at + len; at < end; line++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        size_t n = (size_t)(stop - at);
        n -= n > 0 && at[n - 1] == '\r';
        at[n] = '\0'; /* there is one byte more than was read */
        if (n > 0 && at[0] != '#') {
            if (passwords->count == LIMIT_AUTH_USERS)
                return refuse("there are more users than 16384", line, out_line, why, why_size);
            struct password_entry *entry = &passwords->entries[passwords->count];
            const char *wrong = read_line(at, n, entry, why, why_size);
            if (wrong)
                return refuse(wrong, line, out_line, why, why_size);
            entry->line = line;
            passwords->count++;
        }
        at = stop + 1;
    }
    return 0;
}

static size_t count_lines(const char *text, size_t len)
{
    size_t lines = 1;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

int passwords_read(const char *text, size_t len, struct passwords **out, unsigned *out_line,
                   char *why, size_t why_size)
{
    size_t lines = count_lines(text, len);
    size_t most = lines < LIMIT_AUTH_USERS ? lines : LIMIT_AUTH_USERS;
    struct passwords *passwords =
        calloc(1, sizeof(*passwords) + most * sizeof(passwords->entries[0]));
    if (!passwords)
        return -ENOMEM;
    atomic_init(&passwords->holds, 1);
    passwords->text = malloc(len + 1);
    int rc = passwords->text ? 0 : -ENOMEM;
    if (rc == 0) {
        memcpy(passwords->text, text, len);
        rc = read_lines(passwords, len, out_line, why, why_size);
    }
    qsort(passwords->entries, passwords->count, sizeof(passwords->entries[0]), by_user);
    for (size_t i = 1; i < passwords->count && rc == 0; i++)
        if (compare(passwords->entries[i - 1].user, passwords->entries[i].user) == 0)
            rc = refuse("this user is there twice", passwords->entries[i].line, out_line, why,
                        why_size);
    if (rc < 0) {
        passwords_drop(passwords);
        return rc;
    }
    *out = passwords;
    return 0;
}

void passwords_drop(struct passwords *passwords)
{
    if (!passwords || atomic_fetch_sub(&passwords->holds, 1) > 1)
        return;
    free(passwords->text);
    free(passwords);
}

const struct password_entry *passwords_find(const struct passwords *passwords,
                                            struct weir_bytes user)
{
    const struct password_entry want = {.user = user};
    size_t low = 0, high = passwords->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(want.user, passwords->entries[middle].user);
        if (order == 0)
            return &passwords->entries[middle];
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    return NULL;
}

/* Looks at all of it, wherever the first difference is. */
static bool same(const char *a, const char *b, size_t len)
{
    volatile unsigned differ = 0;
    for (size_t i = 0; i < len; i++)
        differ |= (unsigned)(a[i] ^ b[i]);
    return differ == 0;
}

bool password_matches(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    if (!data)
        return false;
    const char *made = crypt_rn(password, hash, data, sizeof(*data));
    size_t len = strlen(hash);
    bool matches = made && made[0] != '*' && strlen(made) == len && same(made, hash, len);
    explicit_bzero(data, sizeof(*data));
    free(data);
    return matches;
}
