/* Addresses: ranges of an operator, lists of proxies, rates. The first byte says what the rest is; a range that was read has what it names. */
#include "service/net.h"

#include "base/bytes.h"
#include "service/forwarded.h"
#include "service/quota.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void range(struct weir_bytes text)
{
    struct net net;
    char why[400] = "";
    if (net_read(text, &net, why, sizeof(why)) < 0) {
        if (!why[0])
            abort();
        return;
    }
    struct client client = {.family = net.family, .uid = net.uid};
    memcpy(client.ip, net.ip, sizeof(client.ip));
    if (!net_has(&net, &client))
        abort();
}

/* What is read of an address and written again is the same address. */
static void address(struct weir_bytes text)
{
    struct client client, again;
    char written[64];
    if (client_read(text, &client) < 0)
        return;
    client_text(&client, written);
    if (client_read(bytes_str(written), &again) < 0 || again.family != client.family ||
        memcmp(again.ip, client.ip, sizeof(client.ip)) != 0)
        abort();
}

/* Whatever stands in front of what a proxy appended, that is what it said. */
static void appended(struct weir_bytes text, bool rfc7239, const struct net *trusted,
                     const struct client *peer)
{
    const struct weir_bytes said = rfc7239 ? BYTES(",for=\"192.0.2.1:80\"") : BYTES(",192.0.2.1");
    const uint8_t ip[4] = {192, 0, 2, 1};
    struct weir_bytes line = {.len = text.len + said.len};
    struct client out;
    char *copy = malloc(line.len);
    memcpy(copy, text.at, text.len);
    memcpy(copy + text.len, said.at, said.len);
    line.at = copy;
    if (!forwarded_find(&line, 1, rfc7239, trusted, 1, peer, &out) ||
        out.family != WEIR_FAMILY_IP4 || memcmp(out.ip, ip, sizeof(ip)) != 0)
        abort();
    free(copy);
}

static void proxies(struct weir_bytes text, bool rfc7239)
{
    struct net trusted[1] = {{.family = WEIR_FAMILY_IP4, .bits = 8, .ip = {10}}};
    struct client peer = {.family = WEIR_FAMILY_IP4, .ip = {10, 1}, .uid = UINT32_MAX}, out;
    struct weir_bytes values[4], rest = text;
    unsigned count = 0;
    while (count < 4 && rest.len > 0) {
        const char *end = memchr(rest.at, '\n', rest.len);
        size_t n = end ? (size_t)(end - rest.at) : rest.len;
        values[count++] = (struct weir_bytes){rest.at, n};
        rest = (struct weir_bytes){rest.at + n + (end != NULL), rest.len - n - (end != NULL)};
    }
    bool found = forwarded_find(values, count, rfc7239, trusted, 1, &peer, &out);
    if (found != (count > 0))
        abort(); /* the proxy was asked for another, or was not */
    appended(text, rfc7239, trusted, &peer);
    struct client far = {.family = WEIR_FAMILY_IP6, .ip = {1}};
    if (forwarded_find(values, count, rfc7239, trusted, 1, &far, &out))
        abort(); /* he was not to be believed */
}

static void rate(struct weir_bytes text)
{
    struct quota quota;
    if (quota_read(text, &quota) == 0 &&
        (quota.every_ns == 0 || quota.burst == 0 ||
         quota.every_ns > LIMIT_QUOTA_SPAN_S * WEIR_NS_PER_S / quota.burst))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    char *copy = malloc(len); /* its very end is watched */
    memcpy(copy, bytes, len);
    struct weir_bytes text = {copy + 1, len - 1};
    switch (bytes[0]) {
    case 'r':
        range(text);
        break;
    case 'a':
        address(text);
        break;
    case 'x':
        proxies(text, false);
        break;
    case 'f':
        proxies(text, true);
        break;
    default:
        rate(text);
        break;
    }
    free(copy);
    return 0;
}
