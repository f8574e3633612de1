/* What all calls of a connection share. */
#include "rpc/client.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- deadlines --- */

static uint64_t due(void *arg)
{
    return ((struct rpc_client *)arg)->due_ns;
}

void rpc_call_expect(struct rpc_call *call, uint64_t deadline_ns)
{
    struct rpc_client *client = call->client;
    call->deadline_ns = deadline_ns;
    if (deadline_ns && (!client->due_ns || deadline_ns < client->due_ns)) {
        client->due_ns = deadline_ns;
        h2_client_arm(client->conn);
    }
}

static struct rpc_call *find_late(struct rpc_client *client, uint64_t now)
{
    client->due_ns = 0;
    for (struct rpc_call *call = client->first; call; call = call->next) {
        if (call->ended || !call->deadline_ns)
            continue;
        if (call->deadline_ns <= now)
            return call;
        if (!client->due_ns || call->deadline_ns < client->due_ns)
            client->due_ns = call->deadline_ns;
    }
    return NULL;
}

/* Whoever is told may do anything to the list. */
static void expire(void *arg)
{
    struct rpc_client *client = arg;
    uint64_t now = weir_conn_now(client->conn).mono_ns;
    for (struct rpc_call *call; (call = find_late(client, now));)
        rpc_call_fail(call, WEIR_RPC_DEADLINE_EXCEEDED, "the deadline has passed");
}

static struct rpc_call *find_lost(struct rpc_client *client, unsigned settled)
{
    struct rpc_call *call = client->first;
    while (call && !(call->lost && call->lost_in == settled))
        call = call->next;
    return call;
}

bool rpc_client_settle(struct rpc_client *client)
{
    bool any = client->lost;
    unsigned settled = client->settled++;
    client->lost = false;
    for (struct rpc_call *call; any && (call = find_lost(client, settled));)
        rpc_call_fail(call, WEIR_RPC_UNAVAILABLE,
                      client->lost_why ? client->lost_why : "not connected");
    return any;
}

static void closed(void *arg, int why)
{
    (void)why;
    ((struct rpc_client *)arg)->conn = NULL;
}

/* --- what is sent with every call --- */

static int add_encoded(struct rpc_entries *list, const struct weir_rpc_entry *entry)
{
    struct weir_bytes name = bytes_str(entry->name);
    if (!rpc_name_is_binary(name))
        return rpc_entries_add(list, name, entry->value);
    char *text = malloc(RPC_BASE64_LEN(entry->value.len) + 1);
    if (!text)
        return -ENOMEM;
    size_t len = rpc_base64_encode(entry->value.at, entry->value.len, text);
    int rc = rpc_entries_add_raw(list, name, (struct weir_bytes){text, len});
    free(text);
    return rc;
}

int rpc_client_init(struct rpc_client *client, const struct rpc_client_options *options,
                    const char *authority, const struct weir_rpc_entry *entries, size_t count)
{
    *client = (struct rpc_client){.options = *options};
    client->h2 = (struct h2_client_options){
        .closed = closed,
        .due = due,
        .expire = expire,
        .arg = client,
        .ping_ms = options->ping_ms,
        .silent_ms = options->silent_ms,
    };
    client->authority = strdup(authority);
    int rc = client->authority ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = rpc_entry_check(&entries[i]);
        if (rc == 0)
            rc = add_encoded(&client->entries, &entries[i]);
    }
    if (rc < 0)
        rpc_client_done(client);
    return rc;
}

void rpc_client_done(struct rpc_client *client)
{
    rpc_entries_done(&client->entries);
    free((char *)(uintptr_t)client->authority);
    client->authority = NULL;
}
