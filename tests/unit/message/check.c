#include "message/wire.h"
#include "tbl/limits_message.h"
#include "types.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct weir_schema *schema;
static const ProtobufCMessageDescriptor *node, *wide, *old;

static int load(void **state)
{
    (void)state;
    schema = types_load();
    node = weir_schema_message(schema, "weir.check.Node");
    wide = weir_schema_message(schema, "weir.check.Wide");
    old = weir_schema_message(schema, "weir.check.Old");
    assert_non_null(node);
    assert_non_null(wide);
    assert_non_null(old);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    weir_schema_free(schema);
    return 0;
}

struct row {
    const char *bytes;
    size_t len;
    int error;
    const char *why; /* its end */
};

#define ROW(bytes, error, why)                                                                     \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, error, why                                                       \
    }

static const struct row rows[] = {
    ROW("", 0, ""),
    ROW("\x0a\x01x", 0, ""),
    ROW("\x0a\x02x", -EPROTO, "weir.check.Node: a length goes past the end"),
    ROW("\x0a", -EPROTO, "a number is cut off"),
    ROW("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", -EPROTO, "more than five bytes"),
    ROW("\x8a\x80\x80\x80\x80\x00\x00", -EPROTO, "more than five bytes"),
    ROW("\x00\x00", -EPROTO, "a number that cannot be"),
    ROW("\x0f\x00", -EPROTO, "a wire type that does not exist"),
    ROW("\x0b\x0c", -EPROTO, "a group, which is not supported"),
    ROW("\xa3\x06\xa4\x06", -EPROTO, "a group, which is not supported"),
    ROW("\x0c", -EPROTO, "a group, which is not supported"),
    ROW("\x08\x01", -EPROTO, "name: has the wire type of another kind of field"),
    ROW("\x4a\x01\x01", -EPROTO, "yes: has the wire type of another kind of field"),
    ROW("\x48\x01", 0, ""),
    ROW("\x48\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 0, ""),
    ROW("\x48\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", -EPROTO, "more than 64 bits"),
    ROW("\x48\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", -EPROTO, "more than 64 bits"),
    ROW("\x0a\x02\xc3\xbc", 0, ""),
    ROW("\x0a\x01\xff", -EILSEQ, "name: a string that is not UTF-8"),
    ROW("\x7a\x01\xff", -EILSEQ, "maybe: a string that is not UTF-8"),
    ROW("\x82\x01\x02\xed\xa0", -EILSEQ, "strings: a string that is not UTF-8"),
    ROW("\x5a\x01\xff", -EILSEQ, "text: a string that is not UTF-8"),
    ROW("\x12\x03\x0a\x01\x00", -EILSEQ, "weir.check.Node: child.name: a string with a NUL in it"),
    ROW("\x42\x01\xff", 0, ""), /* bytes */
    ROW("\x28\x01\x2a\x02\x01\x02\x2a\x00", 0, ""),
    ROW("\x2a\x02\x01\x80", -EPROTO, "packed: a number is cut off"),
    ROW("\x32\x08\x01\x02\x03\x04\x05\x06\x07\x08", 0, ""),
    ROW("\x32\x07\x01\x02\x03\x04\x05\x06\x07", -EPROTO, "wide: a number is cut off"),
    ROW("\x3a\x02\x01\x00", 0, ""),
    ROW("\x3a\x01\x02", -EPROTO, "bits: neither true nor false"),
    ROW("\x3a\x02\x81\x00", -EPROTO, "bits: neither true nor false"),
    ROW("\x6d\x01\x02\x03\x04", 0, ""),
    ROW("\x6d\x01\x02\x03", -EPROTO, "a number is cut off"),
    ROW("\x71\x01\x02\x03\x04\x05\x06\x07\x08", 0, ""),
    ROW("\xa0\x06\x01\xaa\x06\x01x", 0, ""), /* unknown fields */
};

static void rows_are_judged_as_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *r = &rows[i];
        char why[256];
        ProtobufCMessage *message = NULL;
        int rc = weir_message_unpack(node, r->bytes, r->len, NULL, &message, why, sizeof(why));
        size_t end = strlen(why) >= strlen(r->why) ? strlen(why) - strlen(r->why) : 0;
        if (rc != r->error || strcmp(why + end, r->why) != 0)
            fail_msg("row %zu: %d '%s', not %d '%s'", i, rc, why, r->error, r->why);
        assert_int_equal(message != NULL, rc == 0);
        weir_message_free(message);
    }
}

/* `depth` messages in all, the way down by field `number`. */
static size_t nest(uint8_t *out, size_t size, unsigned number, unsigned depth)
{
    struct grow inner, outer;
    grow_init(&inner, size);
    grow_str(&inner, "");
    for (unsigned i = 1; i < depth; i++) {
        grow_init(&outer, size);
        grow_bytes(&outer, number, inner.at, inner.len);
        grow_done(&inner);
        inner = outer;
    }
    assert_false(inner.cut);
    memcpy(out, inner.at, inner.len);
    size_t len = inner.len;
    grow_done(&inner);
    return len;
}

static void nesting_has_a_bound(void **state)
{
    (void)state;
    static const unsigned ways[] = {2, 3, 10};
    uint8_t bytes[4096];
    char why[1024];
    ProtobufCMessage *message;
    for (unsigned i = 0; i < 3; i++) {
        size_t len = nest(bytes, sizeof(bytes), ways[i], LIMIT_MESSAGE_DEPTH);
        assert_int_equal(weir_message_unpack(node, bytes, len, NULL, &message, why, sizeof(why)),
                         0);
        assert_int_equal(protobuf_c_message_get_packed_size(message), len);
        weir_message_free(message);
        len = nest(bytes, sizeof(bytes), ways[i], LIMIT_MESSAGE_DEPTH + 1);
        assert_int_equal(weir_message_check(node, bytes, len, NULL, why, sizeof(why)), -EMSGSIZE);
        assert_non_null(strstr(why, "nested too deep"));
    }
    struct weir_message_limits limits = {.depth_max = 3};
    assert_int_equal(weir_message_check(node, bytes, nest(bytes, 99, 2, 3), &limits, NULL, 0), 0);
    assert_int_equal(weir_message_check(node, bytes, nest(bytes, 99, 2, 4), &limits, NULL, 0),
                     -EMSGSIZE);
    limits.depth_max = 100000; /* never more than there is stack for */
    size_t len = nest(bytes, sizeof(bytes), 2, LIMIT_MESSAGE_DEPTH + 1);
    assert_int_equal(weir_message_check(node, bytes, len, &limits, NULL, 0), -EMSGSIZE);
}

static void *unpack_deep(void *arg)
{
    uint8_t bytes[2048];
    ProtobufCMessage *message;
    size_t len = nest(bytes, sizeof(bytes), 2, LIMIT_MESSAGE_DEPTH);
    *(int *)arg = weir_message_unpack(node, bytes, len, NULL, &message, NULL, 0);
    weir_message_free(message);
    return NULL;
}

static void the_deepest_fits_a_small_stack(void **state)
{
    (void)state;
    pthread_attr_t attr;
    pthread_t thread;
    int rc = 1;
    pthread_attr_init(&attr);
    assert_int_equal(pthread_attr_setstacksize(&attr, 256 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attr, unpack_deep, &rc), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    assert_int_equal(rc, 0);
}

static void a_message_is_no_longer_than_allowed(void **state)
{
    (void)state;
    struct weir_message_limits limits = {.bytes_max = 3};
    assert_int_equal(weir_message_check(node, "\x0a\x01x", 3, &limits, NULL, 0), 0);
    assert_int_equal(weir_message_check(node, "\x0a\x02xx", 4, &limits, NULL, 0), -EMSGSIZE);
}

static size_t taken;
static void *count_alloc(void *arg, size_t len)
{
    (void)arg;
    taken += len;
    return malloc(len);
}
static void count_free(void *arg, void *at)
{
    (void)arg;
    free(at);
}

/* What a few bytes make unpack allocate is within what the check has counted. */
static void memory_is_bounded(void **state)
{
    (void)state;
    ProtobufCAllocator counting = {count_alloc, count_free, NULL};
    size_t count = 2000, len = 2 * count;
    uint8_t *bytes = malloc(len);
    char why[256];
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + 2 * i, "\x0a\x00", 2);
    assert_int_equal(weir_message_check(wide, bytes, len, NULL, why, sizeof(why)), -EMSGSIZE);
    assert_non_null(strstr(why, "too much memory"));
    struct weir_message_limits limits = {.memory_max = 2 * 1024 * 1024};
    assert_int_equal(weir_message_check(wide, bytes, len, &limits, why, sizeof(why)), 0);
    size_t most = LIMIT_MESSAGE_SMALL + LIMIT_MESSAGE_GROWTH * len;
    for (size_t n = 2; n <= len; n += 2) {
        if (weir_message_check(wide, bytes, n, NULL, NULL, 0) < 0)
            continue;
        taken = 0;
        ProtobufCMessage *m = protobuf_c_message_unpack(wide, &counting, n, bytes);
        assert_non_null(m);
        assert_true(taken <= LIMIT_MESSAGE_SMALL + LIMIT_MESSAGE_GROWTH * n && taken <= most);
        protobuf_c_message_free_unpacked(m, &counting);
    }
    free(bytes);
}

/* protobuf-c would merge the two, and read before its tables. */
static void nothing_is_left_to_merge(void **state)
{
    (void)state;
    char why[256];
    assert_int_equal(weir_message_check(node, "\x12\x00\x12\x00", 4, NULL, why, sizeof(why)),
                     -EPROTO);
    assert_string_equal(why, "weir.check.Node: child: comes twice, though it is not repeated");
    assert_int_equal(weir_message_check(node, "\x52\x00\x5a\x00\x52\x00", 6, NULL, NULL, 0),
                     -EPROTO);
    assert_int_equal(weir_message_check(node, "\x1a\x00\x1a\x00", 4, NULL, NULL, 0), 0);
    /* Of anything else the last counts. */
    ProtobufCMessage *message;
    assert_int_equal(weir_message_unpack(node, "\x0a\x01x\x0a\x01y\x52\x00\x5a\x01z", 11, NULL,
                                         &message, why, sizeof(why)),
                     0);
    assert_int_equal(protobuf_c_message_get_packed_size(message), 6);
    weir_message_free(message);
}

static void proto2_wants_what_is_required(void **state)
{
    (void)state;
    char why[256];
    assert_int_equal(weir_message_check(old, "", 0, NULL, why, sizeof(why)), -EPROTO);
    assert_string_equal(why, "weir.check.Old: must: is required and missing");
    assert_int_equal(weir_message_check(old, "\x08\x01\x1a\x00", 4, NULL, why, sizeof(why)),
                     -EPROTO);
    assert_string_equal(why, "weir.check.Old: more.must: is required and missing");
    assert_int_equal(weir_message_check(old, "\x08\x01\x12\x01\xff", 5, NULL, NULL, 0), 0);
    /* Its group is nothing that protobuf-c could keep. */
    assert_int_equal(weir_message_check(old, "\x08\x01\x23\x24", 4, NULL, NULL, 0), -EPROTO);
}

static void the_shape_of_protobuf_c_is_checked_too(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    size_t len = nest(bytes, sizeof(bytes), 2, LIMIT_MESSAGE_DEPTH + 1);
    assert_null(weir_message_unpack_by(node, NULL, len, bytes));
    ProtobufCMessage *message = weir_message_unpack_by(node, NULL, 3, (const uint8_t *)"\x0a\x01x");
    assert_non_null(message);
    weir_message_free(message);
}

static void a_new_message_has_its_defaults(void **state)
{
    (void)state;
    ProtobufCMessage *message = weir_message_new(node);
    assert_ptr_equal(message->descriptor, node);
    assert_int_equal(protobuf_c_message_get_packed_size(message), 0);
    const ProtobufCFieldDescriptor *name =
        protobuf_c_message_descriptor_get_field_by_name(node, "name");
    assert_string_equal(*(char **)((char *)message + name->offset), "");
    weir_message_free(message);
    weir_message_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_judged_as_they_say),
        cmocka_unit_test(nesting_has_a_bound),
        cmocka_unit_test(the_deepest_fits_a_small_stack),
        cmocka_unit_test(a_message_is_no_longer_than_allowed),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(nothing_is_left_to_merge),
        cmocka_unit_test(proto2_wants_what_is_required),
        cmocka_unit_test(the_shape_of_protobuf_c_is_checked_too),
        cmocka_unit_test(a_new_message_has_its_defaults),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
