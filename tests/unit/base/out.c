#include "base/out.h"

#include "check.h"
#include "fail.h"
#include "tbl/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static struct weir_pool pool;

static int begin(void **state)
{
    struct weir_out *out = malloc(sizeof(*out));
    if (!out)
        return -1;
    pool_init(&pool, 4);
    out_init(out, &pool);
    *state = out;
    return 0;
}

static int end(void **state)
{
    out_done(*state);
    free(*state);
    pool_done(&pool);
    return 0;
}

/* An owner that counts its drops. */
struct owner {
    struct weir_ref ref;
    unsigned dropped;
};

static void owner_drop(struct weir_ref *ref)
{
    ((struct owner *)(void *)ref)->dropped++;
}

/* Takes up to `max` bytes off the queue into `to`; file spans as that many 'F'. Returns how many. */
static size_t drain(struct weir_out *out, char *to, size_t max)
{
    size_t len = 0;
    const struct weir_span *span;
    while (len < max && (span = weir_out_first(out))) {
        size_t n = span->len < max - len ? span->len : max - len;
        if (span->kind == WEIR_SPAN_FILE)
            memset(to + len, 'F', n);
        else
            memcpy(to + len, span->bytes, n);
        len += n;
        weir_out_skip(out, n);
    }
    return len;
}

static void empty_it_owns_no_memory(void **state)
{
    struct weir_out *out = *state;
    assert_null(out->head);
    weir_out_copy(out, "x", 1);
    assert_non_null(out->head);
    weir_out_skip(out, 1);
    assert_null(out->head);
    assert_null(weir_out_first(out));
    weir_out_copy(out, "", 0);
    weir_out_bytes(out, "", 0, NULL);
    weir_out_file(out, 0, 0, 0, NULL);
    assert_null(out->head);
}

static void order_is_kept_across_kinds(void **state)
{
    struct weir_out *out = *state;
    weir_out_copy(out, "ab", 2);
    weir_out_bytes(out, "cd", 2, NULL);
    char *at = weir_out_reserve(out, 10);
    memcpy(at, "ef", 2);
    weir_out_commit(out, 2);
    weir_out_copy(out, "g", 1);
    weir_out_file(out, 7, 100, 3, NULL);
    weir_out_copy(out, "h", 1);
    assert_int_equal(weir_out_len(out), 11);
    char text[16] = "";
    assert_int_equal(drain(out, text, sizeof(text)), 11);
    assert_string_equal(text, "abcdefgFFFh");
}

static void copied_bytes_never_move(void **state)
{
    struct weir_out *out = *state;
    weir_out_copy(out, "first", 5);
    const uint8_t *at = weir_out_first(out)->bytes;
    char big[3000];
    memset(big, 'x', sizeof(big));
    for (int i = 0; i < 10; i++)
        weir_out_copy(out, big, sizeof(big));
    assert_ptr_equal(weir_out_first(out)->bytes, at);
    assert_memory_equal(at, "first", 5);
    weir_out_skip(out, 2);
    assert_ptr_equal(weir_out_first(out)->bytes, at + 2);
}

static void room_ends_at_the_bounds(void **state)
{
    struct weir_out *out = *state;
    assert_true(weir_out_room(out));
    assert_int_equal(weir_out_space(out), LIMIT_OUT_BYTES);
    weir_out_bytes(out, "x", 1, NULL);
    assert_int_equal(weir_out_space(out), LIMIT_OUT_BYTES - 1);
    weir_out_file(out, 3, 0, (size_t)1 << 40, NULL);
    assert_false(weir_out_room(out));
    assert_int_equal(weir_out_space(out), 0);
    weir_out_skip(out, (size_t)weir_out_len(out));
    for (int i = 0; i < LIMIT_OUT_SPANS; i++) {
        assert_true(weir_out_room(out));
        weir_out_bytes(out, "x", 1, NULL);
    }
    assert_false(weir_out_room(out));
}

static void owners_are_held_until_sent(void **state)
{
    struct weir_out *out = *state;
    struct owner owner = {.ref = {1, owner_drop}};
    weir_out_bytes(out, "abc", 3, &owner.ref);
    weir_out_file(out, 3, 5, 9, &owner.ref);
    assert_int_equal(owner.ref.count, 3);
    weir_drop(&owner.ref);
    weir_out_skip(out, 2);
    assert_int_equal(owner.ref.count, 2);
    weir_out_skip(out, 1);
    assert_int_equal(owner.ref.count, 1);
    weir_out_skip(out, 4);
    assert_int_equal(weir_out_first(out)->offset, 9);
    assert_int_equal(weir_out_first(out)->len, 5);
    assert_int_equal(owner.dropped, 0);
    weir_out_skip(out, 5);
    assert_int_equal(owner.dropped, 1);
}

static void done_drops_what_was_never_sent(void **state)
{
    struct weir_out *out = *state;
    struct owner owner = {.ref = {1, owner_drop}};
    for (int i = 0; i < 50; i++)
        weir_out_bytes(out, "abc", 3, &owner.ref);
    weir_drop(&owner.ref);
    out_done(out);
    assert_int_equal(owner.dropped, 1);
    assert_int_equal(weir_out_len(out), 0);
}

static void gathers_bytes_up_to_the_next_file(void **state)
{
    struct weir_out *out = *state;
    struct iovec iov[4];
    const struct weir_span *file = (const struct weir_span *)(void *)out;
    assert_int_equal(out_gather(out, iov, 4, &file), 0);
    assert_null(file);
    weir_out_bytes(out, "a", 1, NULL);
    weir_out_copy(out, "bc", 2);
    weir_out_file(out, 9, 1, 2, NULL);
    weir_out_copy(out, "d", 1);
    assert_int_equal(out_gather(out, iov, 4, &file), 2);
    assert_int_equal(iov[0].iov_len, 1);
    assert_memory_equal(iov[1].iov_base, "bc", 2);
    assert_int_equal(file->fd, 9);
    assert_int_equal(out_gather(out, iov, 1, &file), 1);
    assert_null(file);
    weir_out_skip(out, 3);
    assert_int_equal(out_gather(out, iov, 4, &file), 0);
    assert_non_null(file);
}

static void spans_move_whole_and_in_pieces(void **state)
{
    struct weir_out *from = *state, to;
    out_init(&to, &pool);
    struct owner owner = {.ref = {1, owner_drop}};
    weir_out_copy(from, "copied", 6);
    weir_out_bytes(from, "owned", 5, &owner.ref);
    weir_out_file(from, 4, 10, 20, &owner.ref);
    weir_drop(&owner.ref);
    assert_int_equal(weir_out_move(&to, from, 0), 0);
    assert_int_equal(weir_out_move(&to, from, 2), 2);
    assert_int_equal(weir_out_move(&to, from, 100), 4);
    assert_int_equal(weir_out_move(&to, from, 3), 3);
    assert_int_equal(weir_out_move(&to, from, 100), 2);
    assert_int_equal(weir_out_move(&to, from, 15), 15);
    assert_int_equal(weir_out_first(from)->offset, 25);
    assert_int_equal(weir_out_move(&to, from, 100), 5);
    assert_int_equal(weir_out_move(&to, from, 100), 0);
    char text[32] = "";
    assert_int_equal(drain(&to, text, sizeof(text)), 31);
    assert_string_equal(text, "copiedownedFFFFFFFFFFFFFFFFFFFF");
    assert_int_equal(owner.dropped, 1);
    out_done(&to);
}

/* What comes out is what went in, whatever the sizes and cuts. */
static void random_adds_and_skips_keep_every_byte(void **state)
{
    struct weir_out *out = *state;
    static const char source[5000];
    char got[4096];
    uint8_t next_in = 0, next_out = 0;
    srand(2);
    for (int round = 0; round < 5000; round++) {
        if (weir_out_room(out)) {
            size_t len = (size_t)rand() % 1024;
            char *at = weir_out_reserve(out, 1024);
            assert_non_null(at);
            for (size_t i = 0; i < len; i++)
                at[i] = (char)next_in++;
            weir_out_commit(out, len);
            if (rand() % 4 == 0)
                weir_out_copy(out, source, 0);
        }
        size_t n = drain(out, got, (size_t)rand() % sizeof(got));
        for (size_t i = 0; i < n; i++)
            assert_int_equal((uint8_t)got[i], next_out++);
    }
}

static void failure_is_sticky(void **state)
{
    struct weir_out *out = *state;
    char big[6000] = {0};
    fail_after(1);
    weir_out_copy(out, big, sizeof(big));
    fail_never();
    assert_true(weir_out_failed(out));
    assert_false(weir_out_room(out));
    struct owner owner = {.ref = {1, owner_drop}};
    uint64_t len = weir_out_len(out);
    weir_out_copy(out, "x", 1);
    weir_out_bytes(out, "x", 1, &owner.ref);
    assert_null(weir_out_reserve(out, 1));
    assert_int_equal(weir_out_len(out), len);
    assert_int_equal(owner.ref.count, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(empty_it_owns_no_memory),
        CASE(order_is_kept_across_kinds),
        CASE(copied_bytes_never_move),
        CASE(room_ends_at_the_bounds),
        CASE(owners_are_held_until_sent),
        CASE(done_drops_what_was_never_sent),
        CASE(gathers_bytes_up_to_the_next_file),
        CASE(spans_move_whole_and_in_pieces),
        CASE(random_adds_and_skips_keep_every_byte),
        CASE(failure_is_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
