/* Messages behind five bytes: made, cut, compressed, queued. */
#include "rpc/wire.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rpc_message *copy(const void *bytes, size_t len, bool gzip)
{
    struct rpc_message *m = NULL;
    assert_int_equal(rpc_message_copy(bytes, len, gzip, UINT32_MAX, &m), 0);
    return m;
}

/* Cuts `bytes` in pieces of `step` and expects these messages. */
static void expect(const uint8_t *bytes, size_t len, size_t step, bool gzip,
                   const char *const *words, size_t count)
{
    struct rpc_deframer d = {.max = 1 << 20, .gzip = gzip};
    size_t seen = 0;
    for (size_t at = 0; at < len;) {
        struct rpc_message *m;
        size_t n = len - at < step ? len - at : step;
        ssize_t used = rpc_deframe(&d, bytes + at, n, &m);
        assert_true(used > 0 && (size_t)used <= n);
        at += (size_t)used;
        if (!m)
            continue;
        assert_true(seen < count && m->len == strlen(words[seen]));
        assert_memory_equal(m->bytes, words[seen], m->len);
        seen++;
        weir_drop(&m->ref);
    }
    assert_int_equal(seen, count);
    assert_true(rpc_deframer_clean(&d));
    rpc_deframer_done(&d);
}

static void test_cut(void **state)
{
    (void)state;
    static const uint8_t wire[] = "\0\0\0\0\5hello\0\0\0\0\0\0\0\0\0\1x";
    const char *words[] = {"hello", "", "x"};
    for (size_t step = 1; step <= sizeof(wire); step++)
        expect(wire, sizeof(wire) - 1, step, false, words, 3);
}

static void test_compressed(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'a', sizeof(text) - 1);
    const char *words[] = {text};
    struct rpc_message *m = copy(text, sizeof(text) - 1, true);
    assert_true(m->bytes[0] == 1 && m->len < 1000);
    for (size_t step = 1; step < 3; step++)
        expect(m->bytes, m->len, step, true, words, 1);
    weir_drop(&m->ref);
    m = copy("abc", 3, true); /* would be longer */
    assert_int_equal(m->bytes[0], 0);
    weir_drop(&m->ref);
}

static int error_of(const void *wire, size_t len, size_t max, bool gzip)
{
    struct rpc_deframer d = {.max = max, .gzip = gzip};
    struct rpc_message *m = NULL;
    ssize_t n = 0;
    for (size_t at = 0; at < len && n >= 0; at += (size_t)n) {
        n = rpc_deframe(&d, (const uint8_t *)wire + at, len - at, &m);
        if (n >= 0 && m)
            weir_drop(&m->ref);
        if (n < 0)
            break;
    }
    rpc_deframer_done(&d);
    return n < 0 ? (int)n : 0;
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(error_of("\0\0\0\0\5hello", 10, 5, false), 0);
    assert_int_equal(error_of("\0\0\0\0\6", 5, 5, false), -EMSGSIZE);
    assert_int_equal(error_of("\0\xff\xff\xff\xff", 5, 5, false), -EMSGSIZE);
    assert_int_equal(error_of("\2\0\0\0\0", 5, 5, false), -EPROTO);
    assert_int_equal(error_of("\1\0\0\0\0", 5, 5, false), -EOPNOTSUPP);
    assert_int_equal(error_of("\1\0\0\0\3abc", 8, 5, true), -EBADMSG);
    assert_int_equal(error_of("\1\0\0\0\0", 5, 5, true), -EBADMSG);
    static char text[100000];
    struct rpc_message *m = copy(text, sizeof(text), true); /* a bomb: 1000 to 1 */
    assert_int_equal(error_of(m->bytes, m->len, sizeof(text) - 1, true), -EMSGSIZE);
    assert_int_equal(error_of(m->bytes, m->len, sizeof(text), true), 0);
    m->bytes[m->len - 1] ^= 1; /* the length at its end */
    assert_int_equal(error_of(m->bytes, m->len, sizeof(text), true), -EBADMSG);
    weir_drop(&m->ref);
    assert_int_equal(rpc_message_copy("abc", 3, false, 2, &m), -EMSGSIZE);
}

/* A length that is a lie gets no memory for it. */
static void test_lengths_get_nothing(void **state)
{
    (void)state;
    struct rpc_deframer d = {.max = 1 << 30};
    struct rpc_message *m;
    assert_int_equal(rpc_deframe(&d,
                                 (const uint8_t *)"\0\x3f\xff\xff\xff"
                                                  "x",
                                 6, &m),
                     6);
    assert_true(d.size <= LIMIT_RPC_FIRST_BYTES);
    rpc_deframer_done(&d);
}

static void test_queue(void **state)
{
    (void)state;
    struct rpc_queue q = {0};
    assert_null(rpc_queue_take(&q));
    rpc_queue_add(&q, copy("hello", 5, false));
    rpc_queue_add(&q, copy("", 0, false));
    assert_int_equal(q.len, 15);
    struct rpc_message *m = rpc_queue_take(&q);
    assert_int_equal(q.len, 5);
    assert_memory_equal(m->bytes, "\0\0\0\0\5hello", 10);
    weir_drop(&m->ref);
    rpc_queue_done(&q);
    assert_true(q.len == 0 && !q.first && !q.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_lengths_get_nothing),
        cmocka_unit_test(test_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
