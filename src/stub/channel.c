/* Channels: opened, connected again, closed. */
#include "stub/channel.h"

#include "base/text.h"
#include "stream/fork.h"
#include "stream/wait.h"
#include "tbl/limits.h"
#include "tbl/limits_rpc.h"

#include <weir/process.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOSE_MS  5000 /* a child (exec:) that does not end when its input does */
#define PING_MS   300000
#define SILENT_MS 20000
#define IDLE_LOOK_MS                                                                               \
    500 /* so long without a byte: the server may have ended the connection meanwhile */

/* --- names --- */

/* What a server is called: the host and port of a tcp: or tls: name, else "localhost". */
static void authority_of(const char *endpoint, char *text, size_t size)
{
    static const char *const schemes[] = {"tcp:", "tls:"};
    struct text t;
    const char *name = NULL;
    for (size_t i = 0; endpoint && i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncmp(endpoint, schemes[i], 4) == 0)
            name = endpoint + 4;
    while (name && *name == '/')
        name++;
    text_init(&t, text, size);
    text_add(&t, name, name ? strcspn(name, "?") : 0);
    if (t.len == 0)
        text_str(&t, "localhost");
    text_end(&t);
}

/* Within TLS the server must agree upon HTTP/2. NULL: no memory. */
static char *full_name(const char *endpoint)
{
    size_t len = strlen(endpoint), size = len + sizeof("?alpn=h2");
    char *name = malloc(size);
    struct text t;
    if (!name)
        return NULL;
    text_init(&t, name, size);
    text_add(&t, endpoint, len);
    if (strncmp(endpoint, "tls:", 4) == 0 && !strstr(endpoint, "alpn="))
        text_str(&t, strchr(endpoint, '?') ? "&alpn=h2" : "?alpn=h2");
    text_end(&t);
    return name;
}

/* --- connecting --- */

static bool opened(void *arg)
{
    (void)arg;
    return true;
}

/* The stream is there: a machine for it. */
static int attach(struct weir_rpc_channel *ch, struct weir_stream *stream)
{
    ch->stream = stream;
    ch->stream->alone = true;
    weir_set_spin(stream, ch->options.spin_us);
    ch->readable = ch->writable = true;
    ch->send_error = 0;
    ch->base.now.mono_ns = ch->active_ns = deadline_now();
    ch->conn = weir_conn_new(&ch->base, &h2_client, &ch->client.h2);
    rpc_client_attach(&ch->client, ch->conn);
    int rc = ch->conn ? channel_pump(ch, opened, NULL, 0) : -ENOMEM;
    return rc < 0 ? rc : ch->conn ? 0 : -ECONNRESET;
}

static int dial(struct weir_rpc_channel *ch, int timeout_ms)
{
    struct weir_stream *stream;
    int rc = weir_open(ch->endpoint, WEIR_READ | WEIR_WRITE, timeout_ms, &stream);
    return rc < 0 ? rc : attach(ch, stream);
}

static unsigned next_backoff(const struct weir_rpc_channel *ch)
{
    unsigned ms = ch->backoff_ms ? ch->backoff_ms * 8 / 5 : LIMIT_RPC_BACKOFF_MS;
    return ms < ch->options.reconnect_ms ? ms : ch->options.reconnect_ms;
}

/* A server that leaves gets nothing new: when its last call has ended there can be another connection. */
unsigned channel_connect(struct weir_rpc_channel *ch, int timeout_ms)
{
    if (!ch->options.reconnect_ms || !ch->endpoint)
        return 0;
    uint64_t now = deadline_now();
    if (ch->conn && ch->client.count == 0 && now - ch->active_ns >= IDLE_LOOK_MS * WEIR_NS_PER_MS)
        channel_look(ch);
    if (ch->conn && ch->client.count == 0 && h2_client_leaving(ch->conn))
        (void)channel_disconnect(ch);
    if (ch->conn || now < ch->retry_ns)
        return 0;
    int most = (int)ch->options.connect_ms;
    int rc = dial(ch, timeout_ms > 0 && timeout_ms < most ? timeout_ms : most);
    if (rc == 0) {
        ch->backoff_ms = 0;
    } else {
        (void)channel_disconnect(ch);
        ch->backoff_ms = next_backoff(ch);
        ch->retry_ns = deadline_in((int)ch->backoff_ms);
        ch->client.lost_why = "the server cannot be reached";
    }
    return (unsigned)((deadline_now() - now) / WEIR_NS_PER_MS);
}

/* After a fork the child, if the stream has one (exec:), is our parent's: it is neither killed nor waited for here. */
static int close_copy(struct weir_stream *stream)
{
    if (stream->child)
        close(weir_process_fd(stream->child));
    stream->child = NULL;
    return weir_close(stream);
}

int channel_disconnect(struct weir_rpc_channel *ch)
{
    int rc = 0;
    struct weir_conn *conn = ch->conn;
    struct weir_stream *stream = ch->stream;
    ch->conn = NULL;
    ch->stream = NULL;
    near_done(&ch->near);
    weir_conn_free(conn); /* its calls end, and may begin others: those are lost */
    ch->client.conn = NULL;
    if (stream) {
        if (stream->timeout_ms == WEIR_FOREVER)
            stream->timeout_ms = CLOSE_MS;
        rc = process_self() == ch->owner ? weir_close(stream) : close_copy(stream);
    }
    ch->client.lost_why = "the connection to the server has ended";
    return rc;
}

/* --- open and close --- */

static unsigned usual(unsigned asked, unsigned otherwise)
{
    return asked ? asked : otherwise;
}

static int init(struct weir_rpc_channel *ch, const struct weir_rpc_options *o)
{
    char authority[300];
    struct weir_rpc_options options = o ? *o : (struct weir_rpc_options){0};
    size_t most = LIMIT_RPC_MESSAGE_MOST;
    authority_of(ch->endpoint, authority, sizeof(authority));
    options.connect_ms = usual(options.connect_ms, LIMIT_DIAL_MS);
    struct rpc_client_options client = {
        .receive_max = options.receive_max ? options.receive_max : LIMIT_RPC_MESSAGE,
        .send_max = options.send_max && options.send_max < most ? options.send_max : most,
        .gzip = options.gzip,
        .secure = ch->endpoint && strncmp(ch->endpoint, "tls:", 4) == 0,
        .ping_ms = usual(options.ping_ms, PING_MS),
        .silent_ms = usual(options.silent_ms, SILENT_MS),
    };
    if (client.receive_max > most)
        client.receive_max = most;
    int rc =
        rpc_client_init(&ch->client, &client, options.authority ? options.authority : authority,
                        options.metadata, options.metadata_count);
    options.authority = NULL;
    options.metadata = NULL;
    ch->options = options;
    return rc;
}

static int channel_new(const char *endpoint, const struct weir_rpc_options *options,
                       struct weir_rpc_channel **out)
{
    struct weir_rpc_channel *ch = calloc(1, sizeof(*ch));
    if (!ch)
        return -ENOMEM;
    ch->owner = process_self();
    pool_init(&ch->pool, 16);
    ch->base.ops = &channel_ops;
    ch->base.pool = &ch->pool;
    ch->base.hot_size = LIMIT_HOT_BYTES;
    ch->base.hot = malloc(LIMIT_HOT_BYTES);
    ch->endpoint = endpoint ? full_name(endpoint) : NULL;
    int rc = ch->base.hot && (ch->endpoint || !endpoint) ? init(ch, options) : -ENOMEM;
    if (rc < 0)
        (void)weir_rpc_close(ch);
    else
        *out = ch;
    return rc;
}

WEIR_API int weir_rpc_over(struct weir_stream *stream, const struct weir_rpc_options *options,
                           struct weir_rpc_channel **out)
{
    struct weir_rpc_channel *ch;
    int rc = stream->in_kind != FD_NONE && stream->out_kind != FD_NONE ? 0 : -EINVAL;
    if (rc == 0)
        rc = channel_new(NULL, options, &ch);
    if (rc < 0) {
        (void)weir_close(stream);
        return rc;
    }
    rc = attach(ch, stream);
    if (rc < 0)
        (void)weir_rpc_close(ch);
    else
        *out = ch;
    return rc;
}

WEIR_API int weir_rpc_open(const char *endpoint, const struct weir_rpc_options *options,
                           struct weir_rpc_channel **out)
{
    struct weir_rpc_channel *ch = NULL;
    char why[8];
    int rc = weir_endpoint_check(endpoint, false, why, sizeof(why));
    if (rc == 0)
        rc = channel_new(endpoint, options, &ch);
    if (rc < 0)
        return rc;
    if (ch->options.reconnect_ms)
        (void)channel_connect(ch, 0);
    else
        rc = dial(ch, (int)ch->options.connect_ms);
    if (rc < 0)
        (void)weir_rpc_close(ch);
    else
        *out = ch;
    return rc;
}

WEIR_API int weir_rpc_close(struct weir_rpc_channel *ch)
{
    if (!ch)
        return 0;
    ch->options.reconnect_ms = 0;
    ch->closing = true;
    call_free(ch->lent);
    call_free(ch->over);
    ch->lent = ch->over = NULL;
    int rc = channel_disconnect(ch);
    while (ch->client.lost)
        (void)rpc_client_settle(&ch->client);
    rpc_client_done(&ch->client);
    free(ch->base.hot);
    free(ch->endpoint);
    pool_done(&ch->pool);
    free(ch);
    return rc;
}

int channel_enter(struct weir_rpc_channel *ch)
{
    if (process_self() != ch->owner)
        return -EPERM;
    if (ch->closing)
        return -ESHUTDOWN;
    if (ch->busy)
        return -EDEADLK;
    call_free(ch->over);
    ch->over = ch->lent;
    ch->lent = NULL;
    return 0;
}
