#include "service/net.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int __attribute__((format(printf, 3, 4)))
wrong(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return -EINVAL;
}

/* An address in numbers. A v4 address within one of version 6 is told by `mapped`. */
static bool read_address(struct weir_bytes text, uint8_t *family, uint8_t ip[16], bool *mapped)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[16] = {0};
    *mapped = false;
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.at, '\0', text.len))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        *family = WEIR_FAMILY_IP4;
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        *family = WEIR_FAMILY_IP6;
    else
        return false;
    if (*family == WEIR_FAMILY_IP6 && IN6_IS_ADDR_V4MAPPED((struct in6_addr *)bytes)) {
        *mapped = true;
        *family = WEIR_FAMILY_IP4;
        memmove(bytes, bytes + 12, 4);
        memset(bytes + 4, 0, 12);
    }
    memcpy(ip, bytes, sizeof(bytes));
    return true;
}

static uint8_t mask_of(unsigned bits, unsigned byte)
{
    unsigned left = bits > 8 * byte ? bits - 8 * byte : 0;
    return (uint8_t)(left >= 8 ? 0xff : 0xff00u >> left);
}

static bool is_beyond(const struct net *net)
{
    for (unsigned i = 0; i < sizeof(net->ip); i++)
        if (net->ip[i] & ~mask_of(net->bits, i))
            return true;
    return false;
}

static int read_unix(struct weir_bytes text, struct net *out, char *why, size_t why_size)
{
    const struct weir_bytes uid = BYTES("unix:uid=");
    uint64_t number = UINT32_MAX;
    if (!bytes_equal(text, BYTES("unix")) &&
        (!bytes_starts(text, uid) ||
         bytes_u64((struct weir_bytes){text.at + uid.len, text.len - uid.len}, &number) < 0 ||
         number >= UINT32_MAX))
        return wrong(why, why_size, "clients of Unix sockets are unix or unix:uid=N, not '%.*s'",
                     (int)text.len, text.at);
    *out = (struct net){.family = WEIR_FAMILY_UNIX, .uid = (uint32_t)number};
    return 0;
}

/* What is kept of an address that has bits beyond its mask: that is what was meant. */
static int say_beyond(const struct net *net, struct weir_bytes text, char *why, size_t why_size)
{
    struct client kept = {.family = net->family};
    char is[64];
    for (unsigned i = 0; i < sizeof(kept.ip); i++)
        kept.ip[i] = net->ip[i] & mask_of(net->bits, i);
    client_text(&kept, is);
    return wrong(why, why_size, "the address has bits beyond its mask: %s/%u is what '%.*s' means",
                 is, net->bits, (int)text.len, text.at);
}

int net_read(struct weir_bytes text, struct net *out, char *why, size_t why_size)
{
    struct net net = {.family = WEIR_FAMILY_NONE, .uid = UINT32_MAX};
    if (bytes_equal(text, BYTES("all"))) {
        *out = net;
        return 0;
    }
    if (bytes_starts(text, BYTES("unix")))
        return read_unix(text, out, why, why_size);
    const char *slash = text.len > 0 ? memchr(text.at, '/', text.len) : NULL;
    struct weir_bytes address = {text.at, slash ? (size_t)(slash - text.at) : text.len};
    bool mapped;
    if (text.len > 100 || !read_address(address, &net.family, net.ip, &mapped))
        return wrong(why, why_size,
                     "addresses are like 192.0.2.1, 192.0.2.0/24, 2001:db8::/32, unix, unix:uid=N "
                     "or all, not '%.*s'",
                     (int)(text.len < 100 ? text.len : 100), text.at);
    uint64_t most = net.family == WEIR_FAMILY_IP4 && !mapped ? 32 : 128, bits = most;
    if (slash && bytes_u64((struct weir_bytes){slash + 1, (size_t)(text.at + text.len - slash - 1)},
                           &bits) < 0)
        bits = UINT64_MAX;
    if (bits > most || (mapped && bits < 96))
        return wrong(why, why_size, "a mask is a number of bits from %u to %u, not '%.*s'",
                     mapped ? 96u : 0u, (unsigned)most, (int)text.len, text.at);
    net.bits = (uint8_t)(mapped ? bits - 96 : bits);
    if (is_beyond(&net))
        return say_beyond(&net, text, why, why_size);
    *out = net;
    return 0;
}

bool net_has(const struct net *net, const struct client *client)
{
    if (net->family == WEIR_FAMILY_NONE)
        return true;
    if (net->family != client->family)
        return false;
    if (net->family == WEIR_FAMILY_UNIX)
        return net->uid == UINT32_MAX || net->uid == client->uid;
    unsigned whole = net->bits / 8;
    return memcmp(net->ip, client->ip, whole) == 0 &&
           (net->bits % 8 == 0 ||
            ((net->ip[whole] ^ client->ip[whole]) & mask_of(net->bits, whole)) == 0);
}

static bool is_port(struct weir_bytes text)
{
    uint64_t port;
    return text.len > 0 && text.len <= 5 && bytes_u64(text, &port) == 0 && port <= UINT16_MAX;
}

int client_read(struct weir_bytes text, struct client *out)
{
    struct client client = {.uid = UINT32_MAX};
    struct weir_bytes address = text;
    const char *end = text.len > 0 ? text.at + text.len : text.at, *port = NULL;
    bool mapped;
    if (text.len > 0 && text.at[0] == '[') {
        const char *bracket = memchr(text.at, ']', text.len);
        if (!bracket)
            return -EINVAL;
        address = (struct weir_bytes){text.at + 1, (size_t)(bracket - text.at - 1)};
        port = bracket + 1 < end ? bracket + 1 : NULL;
    } else {
        const char *colon = text.len > 0 ? memchr(text.at, ':', text.len) : NULL;
        if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1))) {
            address.len = (size_t)(colon - text.at);
            port = colon;
        }
    }
    if (port && (*port != ':' || !is_port((struct weir_bytes){port + 1, (size_t)(end - port - 1)})))
        return -EINVAL;
    if (!read_address(address, &client.family, client.ip, &mapped))
        return -EINVAL;
    *out = client;
    return 0;
}

void client_text(const struct client *client, char text[64])
{
    if (client->family == WEIR_FAMILY_UNIX && client->uid != UINT32_MAX)
        snprintf(text, 64, "unix:uid=%u", client->uid);
    else if (client->family == WEIR_FAMILY_UNIX)
        snprintf(text, 64, "unix");
    else if (client->family == WEIR_FAMILY_NONE ||
             !inet_ntop(client->family == WEIR_FAMILY_IP4 ? AF_INET : AF_INET6, client->ip, text,
                        64))
        snprintf(text, 64, "unknown");
}

int access_add(struct access *access, const char *text, char *why, size_t why_size)
{
    bool allow = strncmp(text, "allow ", 6) == 0, deny = strncmp(text, "deny ", 5) == 0;
    if (!allow && !deny)
        return wrong(why, why_size, "access is 'allow ADDRESS' or 'deny ADDRESS', not '%.100s'",
                     text);
    if (access->count == LIMIT_NETS) {
        (void)wrong(why, why_size, "access can have %d rules, those of what is around included",
                    LIMIT_NETS);
        return -ENOSPC;
    }
    struct access_rule *rule = &access->rules[access->count];
    int rc = net_read(bytes_trim(bytes_str(text + (deny ? 5 : 6))), &rule->net, why, why_size);
    if (rc < 0)
        return rc;
    rule->deny = deny;
    rule->said = text;
    access->count++;
    return 0;
}

int access_find(const struct access *access, const struct client *client)
{
    bool unknown = client->family == WEIR_FAMILY_NONE;
    for (unsigned i = 0; i < access->count; i++)
        if (net_has(&access->rules[i].net, client) || (unknown && access->rules[i].deny))
            return (int)i;
    return -1;
}
