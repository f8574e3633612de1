/* The fields of a call's request. */
#include "base/bytes.h"
#include "rpc/client.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <stdlib.h>

#define OWN_FIELDS 10 /* beside metadata */

struct fields {
    nghttp2_nv at[OWN_FIELDS + 2 * LIMIT_RPC_ENTRIES];
    size_t count;
    size_t bytes;
    char *text; /* binary values, encoded */
    size_t text_len;
};

/* nghttp2 copies: nothing of it needs to last. */
static void add(struct fields *f, struct weir_bytes name, struct weir_bytes value)
{
    f->at[f->count++] = (nghttp2_nv){(uint8_t *)(uintptr_t)name.at, (uint8_t *)(uintptr_t)value.at,
                                     name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

static void add_own(struct fields *f, const struct rpc_call *call, unsigned timeout_ms,
                    char timeout[RPC_TIMEOUT_MAX])
{
    const struct rpc_client *client = call->client;
    add(f, BYTES(":method"), BYTES("POST"));
    add(f, BYTES(":scheme"), client->options.secure ? BYTES("https") : BYTES("http"));
    add(f, BYTES(":path"), bytes_str(call->method->path));
    add(f, BYTES(":authority"), bytes_str(client->authority));
    add(f, BYTES("te"), BYTES("trailers"));
    if (timeout_ms) {
        size_t len = rpc_timeout_format(timeout_ms * WEIR_NS_PER_MS, timeout);
        add(f, BYTES("grpc-timeout"), (struct weir_bytes){timeout, len});
    }
    add(f, BYTES("content-type"), BYTES("application/grpc+proto"));
    if (client->options.gzip)
        add(f, BYTES("grpc-encoding"), BYTES("gzip"));
    add(f, BYTES("grpc-accept-encoding"), BYTES("identity,gzip"));
    add(f, BYTES("user-agent"), BYTES("grpc-c-weir/" WEIR_VERSION));
}

static int add_entry(struct fields *f, const struct weir_rpc_entry *entry)
{
    struct weir_bytes name = bytes_str(entry->name), value = entry->value;
    int rc = rpc_entry_check(entry);
    if (rc < 0)
        return rc;
    size_t len = rpc_name_is_binary(name) ? RPC_BASE64_LEN(value.len) : value.len;
    if (f->bytes + name.len + len > LIMIT_RPC_ENTRY_BYTES ||
        f->count == sizeof(f->at) / sizeof(f->at[0]))
        return -EINVAL;
    f->bytes += name.len + len;
    if (rpc_name_is_binary(name)) {
        if (!f->text)
            f->text = malloc(LIMIT_RPC_ENTRY_BYTES);
        if (!f->text)
            return -ENOMEM;
        char *to = f->text + f->text_len;
        len = rpc_base64_encode(value.at, value.len, to);
        f->text_len += len;
        value = (struct weir_bytes){to, len};
    }
    add(f, name, value);
    return 0;
}

int rpc_request_submit(struct rpc_call *call, unsigned timeout_ms,
                       const struct weir_rpc_entry *entries, size_t count)
{
    const struct rpc_entries *usual = &call->client->entries;
    const struct h2_key key = {{timeout_ms}, {bytes_str(call->method->path)}};
    struct fields f;
    char timeout[RPC_TIMEOUT_MAX];
    int rc = count == 0 && call->client->conn
                 ? h2_client_submit_again(call->client->conn, &call->request, &key, true)
                 : -EAGAIN;
    if (rc != -EAGAIN)
        return rc;
    rc = 0;
    f.count = f.bytes = f.text_len = 0; /* the rest is large, and is written before it is read */
    f.text = NULL;
    add_own(&f, call, timeout_ms, timeout);
    for (unsigned i = 0; i < usual->count; i++)
        add(&f, bytes_str(usual->at[i].name), usual->at[i].value);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_entry(&f, &entries[i]);
    if (rc == 0 && call->client->conn)
        rc = h2_client_submit(call->client->conn, &call->request, count == 0 ? &key : NULL, f.at,
                              f.count, true);
    else if (rc == 0)
        rc = -ENOTCONN;
    free(f.text);
    return rc;
}
