#include "drive/tls.h"

#include "base/text.h"
#include "drive/tunnel.h"
#include "stream/transport.h"
#include "stream/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tls_clients {
    struct tls_clients *next;
    struct weir_tls *tls; /* owned: a reference */
    char rest[];
};

static int new_client(const struct tls_name *name, bool explain, struct weir_tls **out, char *why,
                      size_t why_size)
{
    const struct weir_tls_cert cert = {name->cert, name->key};
    const struct weir_tls_options options = {.certs = &cert,
                                             .cert_count = name->cert ? 1 : 0,
                                             .peer_name = name->name,
                                             .insecure = name->insecure,
                                             .authorities = name->ca,
                                             .alpn = name->alpn,
                                             .alpn_needed =
                                                 name->alpn && strcmp(name->alpn, "http/1.1") != 0,
                                             .explain = explain};
    return weir_tls_new(&options, out, why, why_size);
}

/* --- settings that are used again --- */

static struct tls_clients *client_of(const char *rest, struct weir_tls *tls)
{
    size_t size = strlen(rest) + 1;
    struct tls_clients *client = malloc(sizeof(*client) + size);
    if (client) {
        memcpy(client->rest, rest, size);
        client->tls = tls;
    }
    return client;
}

static void free_client(struct tls_clients *client)
{
    weir_tls_free(client->tls);
    free(client);
}

/* Takes it out of the list, or the last one of a list that is full: *out_full. */
static struct tls_clients *take_client(struct tls_clients **at, const char *rest,
                                       struct tls_clients **out_full)
{
    struct tls_clients *client;
    *out_full = NULL;
    for (unsigned i = 1; (client = *at); at = &client->next, i++) {
        bool found = strcmp(client->rest, rest) == 0;
        if (!found && i < LIMIT_TLS_CLIENTS)
            continue;
        *at = client->next;
        if (found)
            return client;
        *out_full = client;
        return NULL;
    }
    return NULL;
}

int tls_client_for(struct tls_clients **clients, const char *rest, struct tls_name *name,
                   struct weir_tls **out)
{
    char why[256];
    struct tls_clients *full, *client;
    struct weir_tls *tls;
    if (tls_name_read(rest, name))
        return -EINVAL;
    client = take_client(clients, rest, &full);
    if (full)
        free_client(full);
    if (!client) {
        int rc = new_client(name, false, &tls, why, sizeof(why));
        if (rc < 0)
            return rc;
        client = client_of(rest, tls);
        if (!client) {
            weir_tls_free(tls);
            return -ENOMEM;
        }
    }
    client->next = *clients;
    *clients = client;
    *out = weir_tls_hold(client->tls);
    return 0;
}

void tls_clients_free(struct tls_clients *clients)
{
    for (struct tls_clients *next; clients; clients = next) {
        next = clients->next;
        free_client(clients);
    }
}

/* --- as streams --- */

static void say(char *why, size_t size, const char *what)
{
    struct text t;
    if (!why || size == 0 || why[0] || !what[0])
        return;
    text_init(&t, why, size);
    text_str(&t, what);
    text_end(&t);
}

static int open_under(const struct tls_name *name, uint64_t deadline, struct weir_stream *out)
{
    const struct transport *row;
    const char *rest;
    int rc = endpoint_parse(name->under, false, &row, &rest);
    return rc < 0 ? rc : row->open(rest, 0, deadline, out);
}

static int open_over(const struct tls_name *name, struct weir_tls *tls, uint64_t deadline,
                     char *why, size_t why_size, struct weir_stream *out)
{
    struct weir_stream under;
    int rc = open_under(name, deadline, &under);
    if (rc < 0)
        return rc;
    rc = tunnel_open(&under, weir_tls_hold(tls), deadline, out);
    if (rc < 0)
        say(why, why_size, weir_tls_complaint(tls));
    if (rc == -ETIMEDOUT)
        say(why, why_size,
            "it answers, but no TLS handshake came of it in time: does it speak TLS?");
    return rc;
}

int stream_open_tls(const char *rest, uint64_t deadline, char *why, size_t why_size,
                    struct weir_stream *out)
{
    struct tls_name name;
    struct weir_tls *tls;
    char wrong[256] = "";
    if (tls_name_read(rest, &name))
        return -EINVAL;
    if (why_size > 0)
        why[0] = '\0';
    int rc = new_client(&name, true, &tls, wrong, sizeof(wrong));
    if (rc < 0) {
        say(why, why_size, wrong);
        return rc;
    }
    rc = open_over(&name, tls, deadline, why, why_size, out);
    weir_tls_free(tls);
    return rc;
}

WEIR_API int weir_tls_stream(struct weir_stream *under, struct weir_tls *tls, int timeout_ms,
                             struct weir_stream **out)
{
    struct weir_stream value, over;
    bool heap = under->heap;
    stream_take(&value, under);
    if (heap)
        free(under);
    int rc = tunnel_open(&value, weir_tls_hold(tls), deadline_in(timeout_ms), &over);
    return rc < 0 ? rc : stream_to_heap(&over, out);
}
