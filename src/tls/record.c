/* From the inner queue into records: as few as can be, small at first so that each can be read when its packet has come. */
#include "tbl/limits.h"
#include "tls/machine.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <openssl/err.h>
#include <string.h>

static size_t content_max(struct machine *m, uint64_t queued)
{
    uint64_t now = weir_conn_now(m->link.conn).mono_ns;
    if (now - m->sent_ns > LIMIT_TLS_IDLE_MS * WEIR_NS_PER_MS)
        m->sent = 0;
    m->sent_ns = now;
    m->small = m->sent < LIMIT_TLS_FIRST_BYTES && (m->small || queued > LIMIT_TLS_WHOLE);
    return m->small ? LIMIT_TLS_FIRST : LIMIT_TLS_RECORD;
}

/* Our way out never refuses, so a record is written whole or not at all. */
static int write_record(struct machine *m, const uint8_t *bytes, size_t len)
{
    size_t written;
    ERR_clear_error();
    if (SSL_write_ex(m->ssl, bytes, len, &written) != 1)
        return machine_error(m->ssl, m->link.tls);
    m->sent += written;
    return 1;
}

/* 1, 0: to be waited for; -errno. */
static int take_file(struct machine *m, const struct weir_span *span, uint8_t *to, size_t max,
                     size_t *out_len)
{
    struct weir_driver *driver = weir_conn_driver(m->link.conn);
    size_t len = 0;
    m->file.pool = driver->pool; /* the connection may have moved */
    int rc = driver->ops->fill(driver, m->inner, span, &m->file, max, &len);
    if (rc != WEIR_FILL_MORE)
        return rc;
    *out_len = len;
    while (len > 0 && (span = weir_out_first(&m->file))) {
        memcpy(to, span->bytes, span->len);
        to += span->len;
        len -= span->len;
        weir_out_skip(&m->file, span->len);
    }
    return len == 0 ? 1 : -ENOMEM;
}

/* Collects what is queued in pieces, files among them. */
static int gather_record(struct machine *m, size_t max)
{
    uint8_t content[LIMIT_TLS_RECORD];
    const struct weir_span *span;
    size_t have = 0;
    while (have < max && (span = weir_out_first(weir_conn_out(m->inner)))) {
        size_t len = span->len < max - have ? span->len : max - have;
        if (span->kind == WEIR_SPAN_FILE) {
            int rc = take_file(m, span, content + have, len, &len);
            if (rc <= 0 && have == 0)
                return rc;
            if (rc <= 0)
                break; /* what there is goes out; then it is asked again */
        } else {
            memcpy(content + have, span->bytes, len);
        }
        weir_conn_sent(m->inner, (ssize_t)len);
        have += len;
    }
    m->small &= weir_out_len(weir_conn_out(m->inner)) > 0;
    return write_record(m, content, have);
}

int record_send(struct machine *m)
{
    struct weir_out *from = weir_conn_out(m->inner);
    const struct weir_span *span = weir_out_first(from);
    size_t max = content_max(m, weir_out_len(from));
    bool one = span->len >= max || span->len == weir_out_len(from);
    if (span->kind == WEIR_SPAN_FILE || !one)
        return gather_record(m, max);
    size_t len = span->len < max ? span->len : max;
    int rc = write_record(m, span->bytes, len);
    if (rc > 0)
        weir_conn_sent(m->inner, (ssize_t)len);
    m->small &= weir_out_len(from) > 0;
    return rc;
}
