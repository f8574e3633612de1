/* Types known at run time. That their tables are those of generated code is shown by tests/system/test_protoc.py. */
#include "message/wire.h"
#include "types.h"

#include <errno.h>
#include <string.h>

static struct weir_schema *schema;

static int load(void **state)
{
    (void)state;
    schema = types_load();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    weir_schema_free(schema);
    return 0;
}

static void types_and_methods_are_found_by_name(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *all = weir_schema_message(schema, "weir.three.All");
    assert_non_null(all);
    assert_null(weir_schema_message(schema, "weir.three.Al"));
    assert_null(weir_schema_message(schema, "weir.three.All.Kind")); /* an enum */
    const struct weir_rpc_method *chat = weir_schema_method(schema, "/weir.calls.Greeter/Chat");
    assert_non_null(chat);
    assert_true(chat->client_streaming && chat->server_streaming);
    assert_ptr_equal(chat->output, all);
    assert_null(weir_schema_method(schema, "weir.calls.Greeter/Chat"));
    size_t count = 0;
    while (weir_schema_service(schema, count))
        count++;
    assert_int_equal(count, 3);
}

static void fields_know_what_protobuf_c_does_not(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *all = weir_schema_message(schema, "weir.three.All");
    const ProtobufCFieldDescriptor *words =
        protobuf_c_message_descriptor_get_field_by_name(all, "words");
    const ProtobufCFieldDescriptor *renamed =
        protobuf_c_message_descriptor_get_field_by_name(all, "renamed_field");
    const ProtobufCFieldDescriptor *children =
        protobuf_c_message_descriptor_get_field_by_name(all, "children");
    assert_int_equal(words->reserved_flags, WEIR_FIELD_MAP);
    assert_int_equal(children->reserved_flags, 0);
    assert_int_equal(renamed->reserved_flags, WEIR_FIELD_UTF8);
    assert_string_equal(renamed->reserved2, "@odd name");
    assert_null(words->reserved2);
}

static void a_group_is_left_out(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *old = weir_schema_message(schema, "weir.check.Old");
    assert_int_equal(old->n_fields, 3);
    assert_null(protobuf_c_message_descriptor_get_field(old, 4));
}

/* A file of one message with one field of that message. */
static void circle(struct grow *out, const char *file, const char *import)
{
    struct grow message, field;
    grow_init(&message, 1024);
    grow_init(&field, 1024);
    grow_init(out, 1024);
    grow_bytes(&field, 1, "f", 1);
    grow_number(&field, 3, 1);
    grow_number(&field, 4, 1);
    grow_number(&field, 5, 11);
    grow_bytes(&field, 6, ".M", 2);
    grow_bytes(&message, 1, "M", 1);
    grow_bytes(&message, 2, field.at, field.len);
    grow_bytes(out, 1, file, strlen(file));
    if (import)
        grow_bytes(out, 3, import, strlen(import));
    else
        grow_bytes(out, 4, message.at, message.len);
    grow_done(&message);
    grow_done(&field);
}

static void files_come_one_by_one(void **state)
{
    (void)state;
    struct weir_schema *s;
    struct grow one, two;
    char why[256];
    circle(&one, "one.proto", NULL);
    circle(&two, "two.proto", "one.proto");
    assert_int_equal(weir_schema_new(&s), 0);
    assert_int_equal(weir_schema_add_file(s, two.at, two.len, why, sizeof(why)), 0);
    assert_string_equal(weir_schema_missing(s), "one.proto");
    assert_int_equal(weir_schema_link(s, why, sizeof(why)), -EPROTO);
    assert_string_equal(why, "two.proto: its import one.proto is missing");
    weir_schema_free(s);
    assert_int_equal(weir_schema_new(&s), 0);
    assert_int_equal(weir_schema_add_file(s, two.at, two.len, why, sizeof(why)), 0);
    assert_int_equal(weir_schema_add_file(s, one.at, one.len, why, sizeof(why)), 0);
    assert_int_equal(weir_schema_add_file(s, one.at, one.len, why, sizeof(why)), 0); /* again */
    assert_null(weir_schema_missing(s));
    assert_null(weir_schema_message(s, "M"));
    assert_int_equal(weir_schema_link(s, why, sizeof(why)), 0);
    const ProtobufCMessageDescriptor *m = weir_schema_message(s, "M");
    assert_ptr_equal(m->fields[0].descriptor, m);
    assert_int_equal(weir_schema_add_file(s, one.at, one.len, why, sizeof(why)), -EPROTO);
    weir_schema_free(s);
    grow_done(&one);
    grow_done(&two);
}

static void what_is_no_set_is_said(void **state)
{
    (void)state;
    struct weir_schema *s;
    char why[256];
    assert_int_equal(weir_schema_new(&s), 0);
    assert_int_equal(weir_schema_add_set(s, "", 0, why, sizeof(why)), -EPROTO);
    assert_int_equal(weir_schema_add_set(s, "\x0a\x05", 2, why, sizeof(why)), -EPROTO);
    assert_string_equal(why, "it is no set of descriptors: a length goes past the end");
    assert_int_equal(weir_schema_add_file(s, "\x0a\x03../", 5, why, sizeof(why)), -EPROTO);
    /* What is quoted stays one line. */
    assert_int_equal(weir_schema_add_file(s, "\x0a\x01x\x12\x03y\nz", 8, why, sizeof(why)),
                     -EPROTO);
    assert_string_equal(why, "x: 'y?z' is no name");
    weir_schema_free(s);
    weir_schema_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_methods_are_found_by_name),
        cmocka_unit_test(fields_know_what_protobuf_c_does_not),
        cmocka_unit_test(a_group_is_left_out),
        cmocka_unit_test(files_come_one_by_one),
        cmocka_unit_test(what_is_no_set_is_said),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
