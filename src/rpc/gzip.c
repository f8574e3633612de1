/* One message compressed or not, in one go; its length is bounded before and after. */
#include "rpc/wire.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib: with the head and the sum of gzip */

static int grow(struct rpc_message **m, size_t *size, size_t max)
{
    if (*size > max)
        return -EMSGSIZE; /* the byte that was too many has come */
    size_t larger = 2 * *size <= max ? 2 * *size : max + 1;
    struct rpc_message *moved = realloc(*m, sizeof(*moved) + RPC_PREFIX + larger);
    if (!moved)
        return -ENOMEM;
    *m = moved;
    *size = larger;
    return 0;
}

static int inflate_all(z_stream *z, struct rpc_message **m, size_t size, size_t max)
{
    for (;;) {
        z->next_out = (*m)->bytes + (*m)->len;
        z->avail_out = (uInt)(size - (*m)->len);
        int rc = inflate(z, Z_NO_FLUSH);
        (*m)->len = size - z->avail_out;
        if ((*m)->len > max)
            return -EMSGSIZE;
        if (rc == Z_STREAM_END)
            return z->avail_in == 0 ? 0 : -EBADMSG;
        if (rc == Z_MEM_ERROR)
            return -ENOMEM;
        if ((rc != Z_OK && rc != Z_BUF_ERROR) || z->avail_out > 0)
            return -EBADMSG; /* or it ended early */
        rc = grow(m, &size, max);
        if (rc < 0)
            return rc;
    }
}

int rpc_gunzip(const uint8_t *bytes, size_t len, size_t max, struct rpc_message **out)
{
    size_t size = len < LIMIT_RPC_FIRST_BYTES ? LIMIT_RPC_FIRST_BYTES : len;
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};
    size = size <= max ? size : max + 1;
    struct rpc_message *m = rpc_message_new(size);
    if (!m)
        return -ENOMEM;
    m->len = 0;
    int rc = inflateInit2(&z, GZIP_WINDOW) == Z_OK ? inflate_all(&z, &m, size, max) : -ENOMEM;
    inflateEnd(&z);
    if (rc < 0)
        weir_drop(&m->ref);
    else
        *out = m;
    return rc;
}

int rpc_gzip(const uint8_t *bytes, size_t len, struct rpc_message **out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};
    struct rpc_message *m = len > 1 ? rpc_message_new(len - 1) : NULL;
    if (!m)
        return len > 1 ? -ENOMEM : -ENODATA;
    int rc = deflateInit2(&z, 1, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    if (rc != Z_OK) {
        weir_drop(&m->ref);
        return -ENOMEM;
    }
    z.next_out = m->bytes + RPC_PREFIX;
    z.avail_out = (uInt)(len - 1);
    rc = deflate(&z, Z_FINISH);
    m->len = RPC_PREFIX + len - 1 - z.avail_out;
    deflateEnd(&z);
    if (rc != Z_STREAM_END) {
        weir_drop(&m->ref);
        return -ENODATA;
    }
    *out = m;
    return 0;
}
