/* Heads from a stranger: found in the same place whole and byte by byte, and read without a step outside. */
#include "base/pool.h"
#include "http/h1/body.h"
#include "http/h1/head.h"
#include "http/target.h"

#include <weir/conn.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void look_around(const struct weir_exchange *x)
{
    struct weir_bytes name, value, path;
    char *buffer = malloc(LIMIT_FILE_PATH_BYTES);
    size_t total = 0;
    for (unsigned at = 0; weir_request_next(x, &at, &name, &value);)
        for (size_t i = 0; i < value.len; i++)
            total += (uint8_t)value.at[i];
    if (path_clean(weir_request_path(x), buffer, LIMIT_FILE_PATH_BYTES, &path) == PATH_CLEAN) {
        if (path.at[0] != '/' || memmem(path.at, path.len, "/../", 4) ||
            memchr(path.at, '\0', path.len))
            abort();
        if (path.len >= 3 && memcmp(path.at + path.len - 3, "/..", 3) == 0)
            abort();
        total += path_hidden(path);
    }
    if (weir_request_host(x).len > 0 && !host_valid(weir_request_host(x)))
        abort();
    free(buffer);
    volatile size_t sink = total;
    (void)sink;
}

static void read_head(const char *head, size_t len)
{
    static const struct weir_http http;
    struct weir_pool pool;
    pool_init(&pool, 0);
    struct weir_driver driver = {.pool = &pool};
    struct weir_conn *conn = weir_conn_new(&driver, &weir_http1, &http);
    struct weir_exchange *x = exchange_new(conn, &http);
    struct body body;
    if (head_read(x, head, len) == HTTP_OK && body_open(&body, x, 1000000) == HTTP_OK) {
        if (exchange_keep(x) < 0)
            abort();
        look_around(x);
    }
    weir_exchange_drop(x);
    weir_conn_free(conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *text = (const char *)bytes;
    static const struct weir_http http;
    struct head_limits max = head_limits(&http);
    struct head_scan whole = {0}, steps = {0};
    size_t a_len = 0, b_len = 0;
    enum http_error a = head_find(&whole, text, len, &max, &a_len), b = HTTP_OK;
    for (size_t n = 1; n <= len && !b && b_len == 0; n++)
        b = head_find(&steps, text, n, &max, &b_len);
    if (a != b || a_len != b_len)
        abort();
    if (a_len > 0) {
        char *copy = malloc(a_len); /* its very end is watched */
        memcpy(copy, text, a_len);
        read_head(copy, a_len);
        free(copy);
    }
    return 0;
}
