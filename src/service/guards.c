#include "service/guards.h"

#include "base/bytes.h"
#include "http/exchange.h"
#include "service/forwarded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static int read_trusted(const struct guards_options *options, struct net out[LIMIT_NETS], char *why,
                        size_t why_size)
{
    if (options->trusted.count > LIMIT_NETS)
        return -ENOSPC;
    for (size_t i = 0; i < options->trusted.count; i++) {
        int rc = net_read(bytes_str(options->trusted.at[i]), &out[i], why, why_size);
        if (rc < 0)
            return rc;
        if (out[i].family == WEIR_FAMILY_NONE) {
            snprintf(why, why_size, "a trusted proxy has an address of its own, not '%s'",
                     options->trusted.at[i]);
            return -EINVAL;
        }
    }
    return 0;
}

bool guards_options_wrong(const struct guards_options *options, char *why, size_t why_size)
{
    struct net trusted[LIMIT_NETS];
    return read_trusted(options, trusted, why, why_size) < 0;
}

static int open_tables(struct guards *guards, const struct guards_options *options)
{
    int rc = options->limits ? quotas_new(&guards->quotas) : 0;
    if (rc == 0 && options->limits)
        rc = auth_cache_new(&guards->cache);
    if (rc == 0 && options->limits)
        rc = places_new(LIMIT_AUTH_PLACES, &guards->places);
    if (rc == 0 && options->connections > 0)
        rc = headcount_new(&guards->headcount);
    return rc;
}

int guards_open(struct guards *guards, const struct guards_options *options)
{
    char why[300];
    *guards = (struct guards){.connections = options->connections, .rfc7239 = options->rfc7239};
    int rc = read_trusted(options, guards->trusted, why, sizeof(why));
    guards->trusted_count = (unsigned)options->trusted.count;
    if (rc == 0 && getrandom(&guards->key, sizeof(guards->key), 0) != sizeof(guards->key))
        rc = -EIO;
    if (rc == 0)
        rc = open_tables(guards, options);
    if (rc < 0)
        guards_close(guards);
    return rc;
}

void guards_close(struct guards *guards)
{
    quotas_free(guards->quotas);
    headcount_free(guards->headcount);
    auth_cache_free(guards->cache);
    places_free(guards->places);
    *guards = (struct guards){0};
}

/* "192.0.2.1", "[2001:db8::1]", "unix:uid=1000", as drivers say it. */
static bool read_peer(const char *text, struct client *out)
{
    struct weir_bytes bytes = bytes_str(text);
    const struct weir_bytes uid = BYTES("unix:uid=");
    uint64_t number = UINT32_MAX;
    char plain[128];
    if (bytes_starts(bytes, BYTES("unix"))) {
        if (bytes_starts(bytes, uid))
            (void)!bytes_u64((struct weir_bytes){bytes.at + uid.len, bytes.len - uid.len}, &number);
        *out = (struct client){.family = WEIR_FAMILY_UNIX,
                               .uid = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX};
        return true;
    }
    const char *zone = strchr(text, '%'); /* which card it was is nobody's address */
    if (zone && (size_t)(zone - text) + 1 < sizeof(plain)) {
        memcpy(plain, text, (size_t)(zone - text));
        plain[zone - text] = ']';
        bytes = (struct weir_bytes){plain, (size_t)(zone - text) + (text[0] == '[')};
    }
    return client_read(bytes, out) == 0;
}

static bool peer_of(struct weir_driver *driver, struct weir_conn *conn, struct client *out)
{
    char text[128];
    unsigned port;
    return conn && driver->ops->peer &&
           driver->ops->peer(driver, conn, text, sizeof(text), &port) == 0 && read_peer(text, out);
}

bool guards_client(struct weir_exchange *x, struct client *out)
{
    if (x->client)
        return read_peer(x->client, out);
    return peer_of(x->driver, x->conn, out);
}

static bool is_trusted(const struct guards *guards, const struct client *client)
{
    for (unsigned i = 0; i < guards->trusted_count; i++)
        if (net_has(&guards->trusted[i], client))
            return true;
    return false;
}

int guards_believe(const struct guards *guards, struct weir_exchange *x)
{
    struct weir_bytes values[LIMIT_HTTP_FIELDS], name, value;
    const struct weir_bytes want = guards->rfc7239 ? BYTES("forwarded") : BYTES("x-forwarded-for");
    struct client client;
    unsigned count = 0;
    if (guards->trusted_count == 0 || x->client || !peer_of(x->driver, x->conn, &client) ||
        !is_trusted(guards, &client))
        return 0;
    for (unsigned at = 0; weir_request_next(x, &at, &name, &value);)
        if (bytes_same(name, want))
            values[count++] = value;
    if (!forwarded_find(values, count, guards->rfc7239, guards->trusted, guards->trusted_count,
                        &client, &client))
        return 0;
    char *text = weir_exchange_alloc(x, 64);
    if (!text)
        return -ENOMEM;
    client_text(&client, text);
    x->client = text;
    return 0;
}

uint64_t guards_number(const struct guards *guards, const struct client *client, uint64_t purpose)
{
    struct siphash hash;
    size_t len = client->family == WEIR_FAMILY_IP6 ? 8 : client->family == WEIR_FAMILY_IP4 ? 4 : 0;
    siphash_init(&hash, &guards->key);
    siphash_add(&hash, &purpose, sizeof(purpose));
    siphash_add(&hash, &client->family, 1);
    siphash_add(&hash, client->ip, len);
    siphash_add(&hash, &client->uid, sizeof(client->uid));
    return siphash_end(&hash);
}

/* Proxies that speak for others connect for others, too. */
bool guards_admit(struct guards *guards, struct weir_conn *conn, uint64_t *out_mark)
{
    struct client client;
    *out_mark = 0;
    if (!guards->headcount || !peer_of(weir_conn_driver(conn), conn, &client) ||
        is_trusted(guards, &client))
        return true;
    uint64_t who = guards_number(guards, &client, 0) | 1; /* 0 is nobody */
    if (!headcount_enter(guards->headcount, who, guards->connections))
        return false;
    *out_mark = who;
    return true;
}

void guards_released(struct guards *guards, uint64_t mark)
{
    if (mark && guards->headcount)
        headcount_leave(guards->headcount, mark);
}
