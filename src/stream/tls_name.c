#include "stream/tls_name.h"

#include "base/bytes.h"
#include "base/text.h"
#include "stream/transport.h"
#include "stream/tunnel.h"
#include "stream/value.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
    if (!isxdigit((unsigned char)c))
        return -1;
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* %XX becomes a byte. NULL: it cannot. `to` has room for what is given. */
static char *decode(char *to, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] != '%') {
            *to++ = at[i];
            continue;
        }
        int high = i + 2 < len ? hex_digit(at[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(at[i + 2]) : -1;
        if (low < 0 || high + low == 0)
            return NULL;
        *to++ = (char)(high * 16 + low);
        i += 2;
    }
    *to++ = '\0';
    return to;
}

/* "key=value" of `len` bytes; the value goes to *to, which moves on. */
static const char *read_word(struct tls_name *out, const char *word, size_t len, char **to)
{
    const struct {
        const char *key;
        const char **value;
    } rows[] = {{"ca=", &out->ca},
                {"name=", &out->name},
                {"alpn=", &out->alpn},
                {"cert=", &out->cert},
                {"key=", &out->key}};
    if (len == strlen("insecure") && memcmp(word, "insecure", len) == 0) {
        out->insecure = true;
        return NULL;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t key = strlen(rows[i].key);
        if (len < key || memcmp(word, rows[i].key, key) != 0)
            continue;
        char *value = *to;
        *to = len > key ? decode(value, word + key, len - key) : NULL;
        *rows[i].value = value;
        return *to ? NULL : "what stands behind the = is empty, or has a % without two digits";
    }
    return "behind the ? can be ca=FILE, name=NAME, alpn=NAME, cert=FILE, key=FILE and insecure";
}

static const char *read_words(struct tls_name *out, const char *words, char *to)
{
    const char *wrong = NULL;
    while (*words && !wrong) {
        size_t len = strcspn(words, "&");
        wrong = read_word(out, words, len, &to);
        words += len + (words[len] == '&');
    }
    if (!wrong && out->key && !out->cert)
        return "a key= needs the cert= that it is for";
    return wrong;
}

/* host_port_split() wants it to end behind the port. */
static const char *split(const char *rest, size_t len, struct tls_name *out)
{
    struct host_port hp;
    struct text t;
    text_init(&t, out->under, sizeof(out->under));
    text_str(&t, "tcp:");
    text_add(&t, rest, len);
    text_end(&t);
    if (t.cut)
        return "the name is too long";
    const char *wrong = host_port_split(out->under + strlen("tcp:"), false, &hp);
    if (wrong)
        return wrong;
    memcpy(out->words, hp.host, strlen(hp.host) + 1);
    out->name = out->words;
    return NULL;
}

const char *tls_name_read(const char *rest, struct tls_name *out)
{
    size_t len = strcspn(rest, "?");
    memset(out, 0, sizeof(*out));
    if (strlen(rest) > LIMIT_ENDPOINT_BYTES)
        return "the name is too long";
    const char *wrong = split(rest, len, out);
    if (wrong || !rest[len])
        return wrong;
    return read_words(out, rest + len + 1, out->words + strlen(out->words) + 1);
}

static const char *tls_check(const char *rest, bool for_listening)
{
    struct tls_name name;
    (void)for_listening;
    return tls_name_read(rest, &name);
}

static int tls_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    (void)how;
    return stream_open_tls ? stream_open_tls(rest, deadline, NULL, 0, out) : -ENOTSUP;
}

const struct transport tls_transport = {
    .scheme = "tls",
    .form = "tls:HOST:PORT",
    .example = "tls:localhost:8443",
    .check = tls_check,
    .open = tls_open,
};
