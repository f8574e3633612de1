#include "base/bytes.h"
#include "rpc/wire.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <stdlib.h>

bool rpc_name_is_binary(struct weir_bytes name)
{
    return name.len > 4 && memcmp(name.at + name.len - 4, "-bin", 4) == 0;
}

/* --- base64 (RFC 4648 section 4) --- */

size_t rpc_base64_encode(const void *bytes, size_t len, char *out)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;
    char *at = out;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t three = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                         (left > 2 ? from[i + 2] : 0);
        *at++ = set[three >> 18];
        *at++ = set[three >> 12 & 63];
        if (left > 1)
            *at++ = set[three >> 6 & 63];
        if (left > 2)
            *at++ = set[three & 63];
    }
    return (size_t)(at - out);
}

/* The other alphabet, of section 5, is taken too. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

ssize_t rpc_base64_decode(struct weir_bytes text, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t len = 0;
    for (unsigned pads = 0; pads < 2 && text.len > 0 && text.at[text.len - 1] == '='; pads++)
        text.len--;
    if (text.len % 4 == 1)
        return -EBADMSG;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.at[i]);
        if (value < 0)
            return -EBADMSG;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (uint8_t)(bits >> have);
        }
    }
    return (ssize_t)len;
}

/* --- entries --- */

static int make_room(struct rpc_entries *e)
{
    if (e->count == LIMIT_RPC_ENTRIES)
        return -ENOBUFS;
    if (e->count < e->size)
        return 0;
    unsigned size = e->size ? 2 * e->size : 8;
    struct weir_rpc_entry *larger = realloc(e->at, size * sizeof(*larger));
    if (!larger)
        return -ENOMEM;
    e->at = larger;
    e->size = size;
    return 0;
}

/* Name and value lie in one allocation, the name first. */
static int add(struct rpc_entries *e, struct weir_bytes name, struct weir_bytes value, bool binary)
{
    int rc = make_room(e);
    if (rc < 0)
        return rc;
    char *text = malloc(name.len + 1 + value.len + 1);
    if (!text)
        return -ENOMEM;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    char *to = text + name.len + 1;
    ssize_t len = (ssize_t)value.len;
    if (binary)
        len = rpc_base64_decode(value, (uint8_t *)to);
    else if (value.len > 0)
        memcpy(to, value.at, value.len);
    if (len < 0) {
        free(text);
        return (int)len;
    }
    to[len] = '\0';
    e->at[e->count++] = (struct weir_rpc_entry){text, {to, (size_t)len}};
    return 0;
}

int rpc_entries_add(struct rpc_entries *e, struct weir_bytes name, struct weir_bytes value)
{
    struct weir_bytes part;
    if (!rpc_name_is_binary(name))
        return add(e, name, value, false);
    if (!memchr(value.len ? value.at : "", ',', value.len))
        return add(e, name, value, true);
    while (bytes_next(&value, &part)) {
        int rc = add(e, name, part, true);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int rpc_entries_add_raw(struct rpc_entries *e, struct weir_bytes name, struct weir_bytes value)
{
    return add(e, name, value, false);
}

void rpc_entries_done(struct rpc_entries *e)
{
    for (unsigned i = 0; i < e->count; i++)
        free((char *)(uintptr_t)e->at[i].name);
    free(e->at);
    *e = (struct rpc_entries){0};
}

/* Ours to say, or HTTP's. */
static bool is_reserved(struct weir_bytes name)
{
    static const char *const names[] = {
        "te",      "content-type", "content-length",   "host", "connection", "transfer-encoding",
        "upgrade", "keep-alive",   "proxy-connection", "date"};
    if (bytes_starts(name, BYTES("grpc-")) && !bytes_equal(name, BYTES("grpc-status-details-bin")))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bytes_equal(name, bytes_str(names[i])))
            return true;
    return false;
}

int rpc_entry_check(const struct weir_rpc_entry *entry)
{
    struct weir_bytes name = bytes_str(entry->name);
    if (name.len == 0 || name.len > UINT8_MAX || is_reserved(name))
        return -EINVAL;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return -EINVAL;
    }
    if (rpc_name_is_binary(name))
        return 0;
    for (size_t i = 0; i < entry->value.len; i++)
        if (entry->value.at[i] < 0x20 || entry->value.at[i] > 0x7e)
            return -EINVAL;
    return 0;
}
