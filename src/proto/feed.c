/* The driver's side of the seam: bytes in, bytes out. */
#include "proto/impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OWN_MIN 512u /* most unfinished heads and messages fit; doubled as they grow */

/* Makes room for at least one more byte behind the input that is kept. */
static bool grow_own(struct weir_conn *conn, size_t want)
{
    size_t size = conn->own_size ? conn->own_size : OWN_MIN;
    while (size < want)
        size *= 2;
    if (size > UINT32_MAX)
        return false;
    size_t offset = conn->own ? (size_t)(conn->input - conn->own) : 0;
    if (offset > 0) { /* consumed bytes in front make way first */
        memmove(conn->own, conn->input, conn->input_len);
        conn->input = conn->own;
    }
    if (size == conn->own_size)
        return true;
    uint8_t *own = realloc(conn->own, size);
    if (!own)
        return false;
    conn->own = own;
    conn->own_size = (uint32_t)size;
    conn->input = own;
    return true;
}

bool conn_keep_input(struct weir_conn *conn)
{
    if (conn->input_len == 0) {
        free(conn->own);
        conn->own = NULL;
        conn->own_size = 0;
        conn->input = NULL;
        return true;
    }
    if (conn->own)
        return true;
    const uint8_t *borrowed = conn->input;
    if (!grow_own(conn, conn->input_len + 1)) {
        conn->input_len = 0;
        conn->input = NULL;
        return false;
    }
    memcpy(conn->own, borrowed, conn->input_len);
    return true;
}

struct iovec weir_conn_room(struct weir_conn *conn)
{
    struct weir_driver *driver = conn->driver;
    if (conn->input_len == 0 || conn->finishing)
        return (struct iovec){driver->hot, driver->hot_size};
    size_t used = (size_t)(conn->input - conn->own) + conn->input_len;
    if (conn->own_size - used < conn->own_size / 4 + 1 &&
        !grow_own(conn, conn->input_len + conn->input_len / 2 + 1)) {
        weir_conn_abort(conn, -ENOMEM); /* the bytes are thrown away with the connection */
        return (struct iovec){driver->hot, driver->hot_size};
    }
    used = (size_t)(conn->input - conn->own) + conn->input_len;
    return (struct iovec){conn->own + used, conn->own_size - used};
}

static void received_lingering(struct weir_conn *conn, ssize_t n)
{
    if (n <= 0 || (size_t)n >= conn->linger_max)
        conn->linger = false; /* enough: the turn closes */
    else
        conn->linger_max -= (uint32_t)n;
}

void weir_conn_received(struct weir_conn *conn, ssize_t n)
{
    if (conn->finishing) {
        if (conn->linger)
            received_lingering(conn, n);
        return;
    }
    if (n < 0) {
        weir_conn_abort(conn, (int)n);
    } else if (n == 0) {
        conn->eof = true;
    } else {
        if (conn->input_len == 0)
            conn->input = conn->driver->hot;
        conn->input_len += (uint32_t)n;
        conn->starved = false;
    }
}

size_t weir_conn_feed(struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    if (conn->finishing && conn->linger && len > 0)
        received_lingering(conn, len < UINT32_MAX ? (ssize_t)len : UINT32_MAX);
    if (conn->finishing || conn->eof)
        return len;
    if (len == 0)
        return 0;
    if (len > conn->driver->hot_size)
        len = conn->driver->hot_size;
    if (conn->input_len == 0) {
        conn->input = bytes;
    } else {
        size_t max = conn->protocol->input_max > len ? conn->protocol->input_max : len;
        if (conn->input_len >= max)
            return 0;
        if (len > max - conn->input_len)
            len = max - conn->input_len;
        if (!conn_keep_input(conn) || !grow_own(conn, conn->input_len + len)) {
            weir_conn_abort(conn, -ENOMEM);
            return len;
        }
        memcpy(conn->own + (conn->input - conn->own) + conn->input_len, bytes, len);
    }
    conn->input_len += (uint32_t)len;
    conn->starved = false;
    return len;
}

int weir_conn_gather(struct weir_conn *conn, struct iovec *iov, int max,
                     const struct weir_span **out_file)
{
    return out_gather(&conn->out, iov, max, out_file);
}

void weir_conn_sent(struct weir_conn *conn, ssize_t n)
{
    if (n == -EPIPE && conn_patient(conn) && !conn->finishing && !conn->eof_told)
        conn->deaf = true;
    else if (n < 0)
        weir_conn_abort(conn, (int)n);
    else
        weir_out_skip(&conn->out, (size_t)n);
    if (n > 0 && conn->finishing)
        conn_flush_deadline(conn);
}

void weir_conn_ended(struct weir_conn *conn)
{
    conn->ended = true;
    if (conn->linger)
        conn->deadline_ns = conn->driver->now.mono_ns + conn->linger_ms * WEIR_NS_PER_MS;
}
