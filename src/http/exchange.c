#include "http/exchange.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(struct weir_exchange) <= POOL_BLOCK_BYTES - 2048,
               "an exchange leaves half of its block to handlers");
_Static_assert(LIMIT_HTTP_LINE_MOST + LIMIT_HTTP_FIELDS_MOST + 2 <= UINT16_MAX,
               "offsets into a head are 16 bits wide");
_Static_assert(LIMIT_HTTP_FIELDS < UINT8_MAX, "a field's index fits 8 bits");

static void exchange_free(struct weir_ref *ref)
{
    struct weir_exchange *x = (struct weir_exchange *)ref;
    weir_drop(x->block_owner);
    weir_drop(x->body.owner);
    out_done(&x->staged);
    arena_done(&x->arena);
    pool_give(x->driver->pool, x);
}

struct weir_exchange *exchange_new(struct weir_conn *conn, const struct weir_http *http)
{
    struct weir_driver *driver = weir_conn_driver(conn);
    struct weir_exchange *x = pool_take(driver->pool);
    if (!x)
        return NULL;
    memset(x, 0, offsetof(struct weir_exchange, fields));
    x->ref = (struct weir_ref){1, exchange_free};
    x->driver = driver;
    x->conn = conn;
    x->http = http;
    x->number = ++driver->request_count;
    x->status = 200;
    x->head = "";
    x->reply_len = WEIR_LENGTH_UNKNOWN;
    arena_init(&x->arena, LIMIT_HTTP_EXCHANGE_BYTES);
    out_init(&x->staged, driver->pool);
    return x;
}

static size_t farther(size_t end, size_t at, size_t len)
{
    return at + len > end ? at + len : end;
}

/* In HTTP/2 they come in any order: the request line may lie behind all fields. */
size_t exchange_head_end(const struct weir_exchange *x)
{
    size_t end = farther(0, x->line.at, x->line.len);
    end = farther(end, x->protocol.at, x->protocol.len);
    for (unsigned i = 0; i < x->field_count; i++) {
        const struct field *f = &x->fields[i];
        end = farther(end, f->name, f->name_len);
        end = farther(end, f->value.at, f->value.len);
    }
    return end;
}

int exchange_keep(struct weir_exchange *x)
{
    if (x->kept)
        return 0;
    size_t len = exchange_head_end(x);
    char *copy = weir_exchange_alloc(x, len);
    if (!copy)
        return -ENOMEM;
    if (len > 0)
        memcpy(copy, x->head, len);
    x->head = copy;
    x->kept = true;
    return 0;
}

/* OPTIONS of the server as a whole, where no handler is for that (RFC 9110 section 9.3.7). */
static int answer_options(struct weir_exchange *x)
{
    int rc = weir_reply_status(x, 204);
    if (rc == 0)
        rc = weir_reply_field(x, "Allow", "GET, HEAD, OPTIONS");
    return rc < 0 ? rc : weir_reply_begin(x);
}

static int start_handler(struct weir_exchange *x)
{
    x->lines_mark = x->lines.len;
    x->state = NULL;
    x->handler = x->http->route(x->http, x, &x->config);
    exchange_reached(x, TIME_PARSE);
    if (!x->handler && bytes_equal(weir_request_path(x), BYTES("*")))
        return answer_options(x);
    if (x->protocol.len > 0 && !(x->handler && x->handler->connects)) {
        x->handler = NULL; /* RFC 8441 section 4 is news to it */
        return -EOPNOTSUPP;
    }
    if (!x->handler)
        return -ENOENT;
    if (x->handler->state_size > 0) {
        x->state = weir_exchange_alloc(x, x->handler->state_size);
        if (!x->state) {
            x->handler = NULL; /* it was never started, so it is not stopped */
            return -ENOMEM;
        }
        memset(x->state, 0, x->handler->state_size);
    }
    return x->handler->start(x);
}

/* leave() of the connection may have come before this request was read. */
int exchange_start(struct weir_exchange *x)
{
    int rc = start_handler(x);
    if (rc < 0)
        return exchange_fail(x, rc);
    if (x->handler && x->handler->leave && weir_conn_leaving(x->conn))
        x->handler->leave(x);
    return 0;
}

void exchange_dismiss(struct weir_exchange *x, int why)
{
    if (x->handler && x->handler->stop)
        x->handler->stop(x, why);
    x->handler = NULL; /* the state stays: whoever holds the exchange may look at it */
    x->deadline_ns = 0;
}

void exchange_end(struct weir_exchange *x, int why)
{
    exchange_dismiss(x, why);
    if (!x->begun)
        x->status = 499; /* as logs of others have it: no answer, so none of its status */
    if (x->http->ended)
        x->http->ended(x->http, x, why);
    if (x->ref.count > 1 && exchange_keep(x) < 0) { /* whoever holds it finds an empty request */
        x->head = "";
        memset(&x->line, 0, 6 * sizeof(struct slice));
        memset(x->known, 0, sizeof(x->known));
        x->field_count = 0;
    }
    x->stopped = true;
    x->conn = NULL;
    weir_drop(&x->ref);
}

struct weir_bytes exchange_field(const struct weir_exchange *x, enum field_id id)
{
    unsigned i = x->known[id];
    return i ? exchange_slice(x, x->fields[i - 1].value) : (struct weir_bytes){0};
}

bool exchange_each(const struct weir_exchange *x, enum field_id id, unsigned *at,
                   struct weir_bytes *out_value)
{
    if (!x->known[id])
        return false;
    for (unsigned i = *at ? *at : x->known[id] - 1u; i < x->field_count; i++) {
        if (x->fields[i].id == id) {
            *out_value = exchange_slice(x, x->fields[i].value);
            *at = i + 1;
            return true;
        }
    }
    return false;
}

static size_t aligned(size_t len)
{
    return (len + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

void exchange_head_made(struct weir_exchange *x, const char *text, size_t len)
{
    x->head = text;
    x->kept = true;
    if (text == x->tail)
        x->used = (uint32_t)aligned(len);
}

void *weir_exchange_alloc(struct weir_exchange *x, size_t len)
{
    if (len <= EXCHANGE_TAIL - x->used) {
        void *at = x->tail + x->used;
        size_t step = aligned(len);
        x->used += (uint32_t)(step < EXCHANGE_TAIL - x->used ? step : EXCHANGE_TAIL - x->used);
        return at;
    }
    return arena_take(&x->arena, len);
}

enum weir_method weir_request_method(const struct weir_exchange *x)
{
    return (enum weir_method)x->method;
}

unsigned weir_request_version(const struct weir_exchange *x)
{
    return x->h2 ? 20 : 10u + x->minor;
}

struct weir_bytes weir_request_protocol(const struct weir_exchange *x)
{
    return exchange_slice(x, x->protocol);
}

struct weir_bytes weir_request_target(const struct weir_exchange *x)
{
    return exchange_slice(x, x->target);
}

struct weir_bytes weir_request_path(const struct weir_exchange *x)
{
    /* RFC 9112 section 3.2.2: the empty path of an absolute form is the root. */
    if (x->form == TARGET_ABSOLUTE && x->path.len == 0)
        return x->method == WEIR_METHOD_OPTIONS ? BYTES("*") : BYTES("/");
    return exchange_slice(x, x->path);
}

struct weir_bytes weir_request_query(const struct weir_exchange *x)
{
    return exchange_slice(x, x->query);
}

struct weir_bytes weir_request_host(const struct weir_exchange *x)
{
    return exchange_slice(x, x->host);
}

struct weir_bytes weir_request_line(const struct weir_exchange *x)
{
    return exchange_slice(x, x->line);
}

bool weir_request_field(const struct weir_exchange *x, const char *name,
                        struct weir_bytes *out_value)
{
    struct weir_bytes want = bytes_str(name);
    for (const struct field *f = x->fields, *end = f + x->field_count; f < end; f++) {
        if (f->name_len == want.len &&
            bytes_same((struct weir_bytes){x->head + f->name, f->name_len}, want)) {
            *out_value = exchange_slice(x, f->value);
            return true;
        }
    }
    return false;
}

bool weir_request_next(const struct weir_exchange *x, unsigned *at, struct weir_bytes *out_name,
                       struct weir_bytes *out_value)
{
    if (*at >= x->field_count)
        return false;
    const struct field *field = &x->fields[(*at)++];
    *out_name = (struct weir_bytes){x->head + field->name, field->name_len};
    *out_value = exchange_slice(x, field->value);
    return true;
}

struct weir_bytes weir_request_user(const struct weir_exchange *x)
{
    return x->user;
}

uint64_t weir_request_length(const struct weir_exchange *x)
{
    return x->length;
}

void *weir_exchange_state(struct weir_exchange *x)
{
    return x->state;
}

const void *weir_exchange_config(const struct weir_exchange *x)
{
    return x->config;
}

struct weir_driver *weir_exchange_driver(struct weir_exchange *x)
{
    return x->driver;
}

struct weir_conn *weir_exchange_conn(struct weir_exchange *x)
{
    return x->conn;
}

void weir_exchange_hold(struct weir_exchange *x)
{
    weir_hold(&x->ref);
}

void weir_exchange_drop(struct weir_exchange *x)
{
    weir_drop(&x->ref);
}

void weir_exchange_wake(struct weir_exchange *x)
{
    x->woken = true;
    exchange_changed(x);
}

#define RESET_CANCEL 8 /* RFC 9113 section 7 */

void weir_exchange_reset(struct weir_exchange *x, uint32_t h2_code)
{
    x->reset = true;
    x->reset_code = h2_code ? h2_code : RESET_CANCEL;
    exchange_changed(x);
}

void weir_exchange_arm(struct weir_exchange *x, uint64_t mono_ns)
{
    x->deadline_ns = mono_ns;
    weir_exchange_wake(x); /* the machine takes it into its own deadline */
}

unsigned weir_exchange_status(const struct weir_exchange *x)
{
    return x->status;
}

void weir_exchange_last(struct weir_exchange *x)
{
    x->lasts = true;
}

uint64_t weir_exchange_sent(const struct weir_exchange *x)
{
    return x->reply_sent;
}

size_t weir_request_id(const struct weir_exchange *x, char text[WEIR_REQUEST_ID_MAX])
{
    struct weir_driver *driver = x->driver;
    struct text t;
    /* Asked for once a thread, when it is needed: without a source of chance the numbers must do. */
    if (!driver->request_prefix && driver->ops->random &&
        driver->ops->random(driver, &driver->request_prefix, sizeof(driver->request_prefix)) < 0)
        driver->request_prefix = 1;
    text_init(&t, text, WEIR_REQUEST_ID_MAX);
    text_hex(&t, driver->request_prefix);
    text_char(&t, '-');
    text_u64(&t, x->number);
    text_end(&t);
    return t.len;
}

uint64_t weir_exchange_started(const struct weir_exchange *x)
{
    return x->started_ns;
}

const char *weir_exchange_limit(const struct weir_exchange *x)
{
    return x->limit;
}
