/* One call of ours, both ways. */
#include "base/bytes.h"
#include "rpc/client.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct rpc_call *call_of(struct h2_request *s)
{
    return (struct rpc_call *)s;
}

/* --- the end --- */

static void unlist(struct rpc_call *call)
{
    struct rpc_client *client = call->client;
    *(call->prev ? &call->prev->next : &client->first) = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->prev = call->next = NULL;
    client->count--;
}

/* What has come before stays to be read. The status is what was set before, or this one. */
static void end(struct rpc_call *call, int code, const char *text)
{
    if (call->ended)
        return;
    call->ended = true;
    if (!call->status_given) {
        call->status.code = code;
        call->status.message = text;
        call->status.details = (struct weir_bytes){NULL, 0};
    }
    unlist(call);
    rpc_queue_done(&call->out);
    rpc_deframer_done(&call->frame);
    if (call->trailers.count == 0 && !call->grpc) { /* Trailers-Only: they came as the head */
        call->trailers = call->head;
        call->head = (struct rpc_entries){0};
    }
    call->client->told++;
    if (call->tell->done)
        call->tell->done(call);
}

void rpc_call_fail(struct rpc_call *call, int code, const char *text)
{
    if (call->ended)
        return;
    call->status_given = false;
    h2_request_drop(&call->request, NGHTTP2_CANCEL);
    end(call, code, text);
}

/* --- what the server sends --- */

static int set_text(struct rpc_call *call, struct weir_bytes value)
{
    char *text = malloc(value.len + 1);
    if (!text)
        return -ENOMEM;
    if (value.len > 0)
        memcpy(text, value.at, value.len);
    rpc_percent_decode(text, value.len);
    free(call->text);
    call->text = text;
    call->status.message = text;
    return 0;
}

static int set_details(struct rpc_call *call, struct weir_bytes value)
{
    uint8_t *details = malloc(value.len + 1);
    ssize_t len = details ? rpc_base64_decode(value, details) : -ENOMEM;
    if (len == -ENOMEM)
        return -ENOMEM;
    free(call->details);
    call->details = details;
    call->status.details = (struct weir_bytes){(char *)details, len < 0 ? 0 : (size_t)len};
    return 0;
}

static int status_field(struct rpc_call *call, struct weir_bytes name, struct weir_bytes value)
{
    if (bytes_equal(name, BYTES("grpc-status"))) {
        call->status.code = rpc_code_parse(value);
        call->status_given = true;
        return 0;
    }
    if (bytes_equal(name, BYTES("grpc-message")))
        return set_text(call, value);
    if (bytes_equal(name, BYTES("grpc-status-details-bin")))
        return set_details(call, value);
    return bytes_starts(name, BYTES("grpc-")) ? 0 : -ENOENT;
}

static int on_field(struct h2_request *s, struct weir_bytes name, struct weir_bytes value,
                    bool trailer)
{
    struct rpc_call *call = call_of(s);
    int rc = status_field(call, name, value);
    if (rc == 0 && !trailer && bytes_equal(name, BYTES("grpc-encoding")))
        call->frame.gzip = bytes_equal(value, BYTES("gzip"));
    if (rc != -ENOENT)
        return rc;
    if (name.len > 0 && name.at[0] == ':') {
        uint64_t status;
        call->http_status = bytes_u64(value, &status) == 0 ? (unsigned)status : 0;
        return 0;
    }
    if (!trailer && bytes_equal(name, BYTES("content-type"))) {
        call->grpc = bytes_starts(value, BYTES("application/grpc"));
        return 0;
    }
    if (call->plain)
        return 0;
    rc = rpc_entries_add(trailer ? &call->trailers : &call->head, name, value);
    return rc == -EBADMSG ? 0 : rc; /* one entry that is no base64 is no reason to lose the rest */
}

/* Somebody else than a gRPC server has answered. */
static void not_grpc(struct rpc_call *call)
{
    char text[96];
    if (call->http_status == 200)
        snprintf(text, sizeof(text), "the answer is no gRPC: its content-type says so");
    else
        snprintf(text, sizeof(text), "the answer is no gRPC: HTTP status %u", call->http_status);
    int rc = set_text(call, bytes_str(text));
    rpc_call_fail(call, rpc_code_of_http(call->http_status), rc == 0 ? call->text : "no gRPC");
}

static int on_fields_end(struct h2_request *s, bool trailer)
{
    struct rpc_call *call = call_of(s);
    if (trailer)
        return 0;
    call->head_known = true;
    if ((!call->grpc || call->http_status != 200) && !call->status_given)
        not_grpc(call);
    return 0;
}

/* The peer gets room for more while little waits to be read, and for all of a message that is not whole yet. */
static void acknowledge(struct rpc_call *call)
{
    if (call->held == 0 || rpc_queue_held(&call->in) >= LIMIT_RPC_HELD)
        return;
    size_t n = call->held;
    call->held = 0;
    h2_request_consumed(&call->request, n);
}

static const char *why_no_message(int error)
{
    switch (-error) {
    case EMSGSIZE:
        return "a message is longer than this client takes";
    case EPROTO:
        return "what came is no message of gRPC";
    case EOPNOTSUPP:
        return "a message is compressed in a way that was not agreed on";
    case EBADMSG:
        return "a message cannot be decompressed";
    default:
        return "no memory";
    }
}

static int on_data(struct h2_request *s, const uint8_t *bytes, size_t len)
{
    struct rpc_call *call = call_of(s);
    call->held += len;
    while (len > 0) {
        struct rpc_message *m;
        ssize_t n = rpc_deframe(&call->frame, bytes, len, &m);
        if (n < 0) {
            int code =
                n == -EMSGSIZE || n == -ENOMEM ? WEIR_RPC_RESOURCE_EXHAUSTED : WEIR_RPC_INTERNAL;
            rpc_call_fail(call, code, why_no_message((int)n));
            return 0;
        }
        bytes += n;
        len -= (size_t)n;
        if (m)
            rpc_queue_add(&call->in, m);
    }
    acknowledge(call);
    if (call->in.first && call->tell->message) {
        call->client->told++;
        call->tell->message(call);
    }
    return 0;
}

static int on_end(struct h2_request *s)
{
    struct rpc_call *call = call_of(s);
    if (call->status_given && call->status.code == WEIR_RPC_OK &&
        !rpc_deframer_clean(&call->frame)) {
        rpc_call_fail(call, WEIR_RPC_INTERNAL, "the answer ends within a message");
        return 0;
    }
    if (call->half_given)
        return 0; /* closed() follows at once */
    h2_request_drop(s, NGHTTP2_NO_ERROR);
    end(call, rpc_code_of_http(call->http_status),
        "the server has ended the call without a status");
    return 0;
}

static void on_closed(struct h2_request *s, int why, uint32_t code)
{
    struct rpc_call *call = call_of(s);
    if (why != WEIR_DONE && call->status.code == WEIR_RPC_OK)
        call->status_given = false; /* said before the end, and the end was another one */
    if (why == WEIR_DONE)
        end(call, rpc_code_of_http(call->http_status),
            "the server has ended the call without a status");
    else if (why == -ESHUTDOWN)
        end(call, WEIR_RPC_UNAVAILABLE, "the server is leaving and has not looked at the call");
    else if (why == -ECANCELED)
        end(call, rpc_code_of_h2(code), "the server has reset the call");
    else if (why == -EBADMSG)
        end(call, WEIR_RPC_INTERNAL, "the server has broken the protocol");
    else if (why == -ETIMEDOUT)
        end(call, WEIR_RPC_UNAVAILABLE, "the server gives no sign of life");
    else if (why == -EMSGSIZE || why == -ENOBUFS)
        end(call, WEIR_RPC_RESOURCE_EXHAUSTED, "the server has sent too much metadata");
    else
        end(call, why == -ENOMEM ? WEIR_RPC_RESOURCE_EXHAUSTED : WEIR_RPC_UNAVAILABLE,
            why == -ENOMEM ? "no memory" : "the connection to the server has ended");
}

/* --- what we send --- */

static size_t on_ready(struct h2_request *s, size_t max, bool *out_last)
{
    struct rpc_call *call = call_of(s);
    size_t n = call->out.len < max ? call->out.len : max;
    *out_last = call->half && n == call->out.len;
    call->half_given = *out_last;
    return n;
}

bool rpc_call_full(const struct rpc_call *call)
{
    return call->out.len >= LIMIT_RPC_QUEUED;
}

static void on_give(struct h2_request *s, struct weir_out *out, size_t len)
{
    struct rpc_call *call = call_of(s);
    rpc_queue_give(&call->out, out, len);
    if (call->refused && !rpc_call_full(call)) {
        call->refused = false;
        call->client->told++;
        if (call->tell->ready)
            call->tell->ready(call);
    }
}

const struct h2_request_calls rpc_request_calls = {
    .field = on_field,
    .fields_end = on_fields_end,
    .data = on_data,
    .end = on_end,
    .ready = on_ready,
    .give = on_give,
    .closed = on_closed,
};

/* --- for those who call --- */

static void list(struct rpc_call *call)
{
    struct rpc_client *client = call->client;
    call->next = client->first;
    if (client->first)
        client->first->prev = call;
    client->first = call;
    client->count++;
}

int rpc_call_begin(struct rpc_client *client, struct rpc_call *call, unsigned timeout_ms,
                   const struct weir_rpc_entry *entries, size_t count)
{
    if (client->count >= LIMIT_RPC_CALLS)
        return -EBUSY;
    call->request.calls = &rpc_request_calls;
    call->client = client;
    call->status.message = "";
    call->frame.max = client->options.receive_max;
    int rc = rpc_request_submit(call, timeout_ms, entries, count);
    if (rc < 0 && rc != -ESHUTDOWN && rc != -ENOTCONN)
        return rc;
    list(call);
    call->lost_in = client->settled;
    if (rc < 0)
        call->lost = client->lost = true;
    else if (timeout_ms)
        rpc_call_expect(call, client->now_ns + timeout_ms * WEIR_NS_PER_MS);
    return 0;
}

int rpc_call_send(struct rpc_call *call, struct rpc_message *m)
{
    if (call->ended) {
        weir_drop(&m->ref);
        return -EPIPE;
    }
    rpc_queue_add(&call->out, m);
    h2_request_resume(&call->request);
    return 0;
}

void rpc_call_half_close(struct rpc_call *call)
{
    if (call->ended || call->half)
        return;
    call->half = true;
    h2_request_resume(&call->request);
}

struct rpc_message *rpc_call_take(struct rpc_call *call)
{
    struct rpc_message *m = rpc_queue_take(&call->in);
    acknowledge(call);
    return m;
}

void rpc_call_done(struct rpc_call *call)
{
    rpc_call_fail(call, WEIR_RPC_CANCELLED, "cancelled");
    rpc_queue_done(&call->in);
    rpc_entries_done(&call->head);
    rpc_entries_done(&call->trailers);
    free(call->text);
    free(call->details);
}
