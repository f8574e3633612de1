/* Each allocation fails in turn, those inside protobuf-c and jansson too (both are linked statically here): an error, nothing lost. */
#include "../../script/alloc.h"
#include "types.h"

#include <limits.h>
#include <string.h>

static const char text[] =
    "{\"i32\": 5, \"text\": \"x\", \"raw\": \"AAEC\", \"numbers\": [1, 2], \"texts\": [\"a\", \"b\"],"
    " \"children\": [{\"text\": \"y\"}, {}], \"words\": {\"a\": \"b\", \"c\": \"d\"}, \"tree\": {\"1\": {\"yes\": true}},"
    " \"oneChild\": {\"raws\": [\"AA==\", \"\"]}, \"time\": \"2024-02-29T12:00:00Z\", \"mask\": \"a,bC\","
    " \"tables\": {\"a\": [1, null, \"x\"]}, \"any\": {\"@type\": \"x/weir.calls.Hello\", \"name\": \"n\"}, \"stringValue\": \"s\"}";

static char *set;
static size_t set_len;

static int load(void **state)
{
    (void)state;
    set = malloc(SET_MAX);
    FILE *file = fopen(TYPES_SET, "rb");
    assert_non_null(set);
    assert_non_null(file);
    set_len = fread(set, 1, SET_MAX, file);
    fclose(file);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    free(set);
    return 0;
}

static int round_trip(const ProtobufCMessageDescriptor *type,
                      const struct weir_json_options *options)
{
    ProtobufCMessage *message, *again;
    char *json, why[256];
    size_t len;
    int rc = weir_json_read(type, text, sizeof(text) - 1, options, &message, why, sizeof(why));
    if (rc < 0)
        return rc;
    rc = weir_json_write(message, options, &json, &len, why, sizeof(why));
    if (rc == 0)
        free(json);
    len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = rc == 0 ? malloc(len) : NULL;
    if (bytes) {
        protobuf_c_message_pack(message, bytes);
        rc = weir_message_unpack(type, bytes, len, NULL, &again, why, sizeof(why));
        if (rc == 0)
            weir_message_free(again);
    } else {
        rc = -1;
    }
    free(bytes);
    weir_message_free(message);
    return rc;
}

static int whole(void)
{
    struct weir_schema *schema = NULL;
    char why[256];
    int rc = weir_schema_new(&schema);
    if (rc == 0)
        rc = weir_schema_add_set(schema, set, set_len, why, sizeof(why));
    if (rc == 0)
        rc = weir_schema_link(schema, why, sizeof(why));
    if (rc == 0) {
        const struct weir_json_options options = {.types = schema};
        rc = round_trip(weir_schema_message(schema, "weir.three.All"), &options);
    }
    weir_schema_free(schema);
    return rc;
}

static void starve(bool all)
{
    long live = alloc_live();
    unsigned long failed = 0;
    for (unsigned long n = 0, calls = ULONG_MAX; n < calls; n++) {
        unsigned long before = alloc_calls();
        alloc_fail(n, all);
        int rc = whole();
        alloc_heal();
        assert_int_equal(alloc_live(), live);
        if (rc == 0) {
            calls = alloc_calls() - before;
            assert_int_equal(n, calls); /* none was missing */
        }
        failed += rc < 0;
    }
    assert_true(failed > 100);
}

static void one_allocation_fails(void **state)
{
    (void)state;
    assert_int_equal(whole(), 0);
    starve(false);
}

static void all_allocations_fail_from_one_on(void **state)
{
    (void)state;
    starve(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_fails),
        cmocka_unit_test(all_allocations_fail_from_one_on),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
