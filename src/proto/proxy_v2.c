#include "proto/proxy_v2.h"

#include <string.h>

enum { VERSION = 0x20, COMMAND_LOCAL = 0x0, COMMAND_PROXY = 0x1 };
enum { UNSPEC = 0x00, TCP4 = 0x11, TCP6 = 0x21, UNIX_STREAM = 0x31 };

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static uint8_t family_of(const struct weir_address *client, const struct weir_address *server)
{
    if (!client || client->family != server->family)
        return UNSPEC;
    switch (client->family) {
    case WEIR_FAMILY_IP4:
        return TCP4;
    case WEIR_FAMILY_IP6:
        return TCP6;
    case WEIR_FAMILY_UNIX:
        return UNIX_STREAM;
    default:
        return UNSPEC;
    }
}

static uint8_t *add(uint8_t *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static uint8_t *add_u16(uint8_t *at, unsigned value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

/* Both addresses, then both ports. */
static uint8_t *add_ip(uint8_t *at, const struct weir_address *client,
                       const struct weir_address *server, size_t len)
{
    at = add(at, client->ip, len);
    at = add(at, server->ip, len);
    at = add_u16(at, client->port);
    return add_u16(at, server->port);
}

static uint8_t *add_ends(uint8_t *at, uint8_t family, const struct weir_address *client,
                         const struct weir_address *server)
{
    switch (family) {
    case TCP4:
        return add_ip(at, client, server, 4);
    case TCP6:
        return add_ip(at, client, server, 16);
    case UNIX_STREAM:
        at = add(at, client->path, sizeof(client->path));
        return add(at, server->path, sizeof(server->path));
    default:
        return at;
    }
}

size_t proxy_v2(uint8_t out[PROXY_V2_BYTES_MAX], const struct weir_address *client,
                const struct weir_address *server)
{
    uint8_t family = family_of(client, server);
    uint8_t *at = add(out, signature, sizeof(signature));
    *at++ = VERSION | (client ? COMMAND_PROXY : COMMAND_LOCAL);
    *at++ = family;
    uint8_t *ends = at + 2;
    uint8_t *end = add_ends(ends, family, client, server);
    (void)add_u16(at, (unsigned)(end - ends));
    return (size_t)(end - out);
}
