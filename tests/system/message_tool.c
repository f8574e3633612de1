/* What tests ask of messages: `tables` prints protobuf-c's tables of all types it was built with, `tables SET` those of the same
 * types made at run time, `services` the tables of calls. `pass TYPE` unpacks standard input and packs it again; `write TYPE SET
 * [OPTIONS]` and `read TYPE SET [OPTIONS]` turn it into JSON and back; a TYPE with a + before it is one known at run time. A
 * generated list (types.h) says which types there are. */
#include "types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const char *name, const char *text)
{
    printf(" %s=%s", name, text ? text : "(null)");
}

static void print_bytes(const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", ((const unsigned char *)bytes)[i]);
}

static void print_default(const ProtobufCFieldDescriptor *f)
{
    static const char sizes[] = {4, 4, 4, 8, 8, 8, 4, 4, 8, 8, 4, 8, 4, 4};
    printf(" default=");
    if (!f->default_value)
        printf("none");
    else if (f->type == PROTOBUF_C_TYPE_STRING)
        print_bytes(f->default_value, strlen(f->default_value));
    else if (f->type == PROTOBUF_C_TYPE_BYTES)
        print_bytes(((const ProtobufCBinaryData *)f->default_value)->data,
                    ((const ProtobufCBinaryData *)f->default_value)->len);
    else
        print_bytes(f->default_value, (size_t)sizes[f->type]);
}

static void print_ranges(const ProtobufCIntRange *ranges, unsigned count)
{
    for (unsigned i = 0; i <= count && ranges; i++)
        printf(" %d:%u", ranges[i].start_value, ranges[i].orig_index);
    puts("");
}

static void print_field(const ProtobufCFieldDescriptor *f)
{
    printf("  %s %u label %d type %d at %u %u flags %u", f->name, f->id, f->label, f->type,
           f->quantifier_offset, f->offset, f->flags);
    if (f->type == PROTOBUF_C_TYPE_ENUM)
        print_text("enum", ((const ProtobufCEnumDescriptor *)f->descriptor)->name);
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        print_text("message", ((const ProtobufCMessageDescriptor *)f->descriptor)->name);
    print_default(f);
    puts("");
}

static void print_message(const ProtobufCMessageDescriptor *d)
{
    printf("message");
    print_text("name", d->name);
    print_text("short", d->short_name);
    print_text("c", d->c_name);
    print_text("package", d->package_name);
    printf(" size=%zu fields=%u\n", d->sizeof_message, d->n_fields);
    for (unsigned i = 0; i < d->n_fields; i++)
        print_field(&d->fields[i]);
    for (unsigned i = 0; i < d->n_fields; i++)
        printf(" %u", d->fields_sorted_by_name[i]);
    print_ranges(d->field_ranges, d->n_field_ranges);
}

static void print_enum(const ProtobufCEnumDescriptor *d)
{
    printf("enum");
    print_text("name", d->name);
    print_text("short", d->short_name);
    print_text("c", d->c_name);
    print_text("package", d->package_name);
    puts("");
    for (unsigned i = 0; i < d->n_values; i++)
        printf("  %s %s %d\n", d->values[i].name, d->values[i].c_name, d->values[i].value);
    for (unsigned i = 0; i < d->n_value_names; i++)
        printf("  %s %u\n", d->values_by_name[i].name, d->values_by_name[i].index);
    print_ranges(d->value_ranges, d->n_value_ranges);
}

static int print_tables(void)
{
    for (size_t i = 0; messages[i]; i++)
        print_message(messages[i]);
    for (size_t i = 0; enums[i]; i++)
        print_enum(enums[i]);
    return 0;
}

#ifdef WEIR
static int print_services(void)
{
    for (size_t i = 0; services[i]; i++) {
        const struct weir_rpc_service *s = services[i];
        printf("%s %s %u\n", s->name, s->descriptor->c_name, s->method_count);
        for (unsigned j = 0; j < s->method_count; j++)
            printf("  %s %s %s %d %d\n", s->methods[j].path, s->methods[j].input->name,
                   s->methods[j].output->name, s->methods[j].client_streaming,
                   s->methods[j].server_streaming);
        printf("  %s ", s->file->name);
        print_bytes(s->file->bytes, s->file->len);
        for (size_t j = 0; j < s->file->import_count; j++)
            printf(" %s", s->file->imports[j]->name);
        puts("");
    }
    return 0;
}
#endif

#ifdef WEIR
static struct weir_schema *schema;

static int load(const char *path)
{
    char why[256];
    char *bytes = malloc(1 << 20);
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(bytes, 1, 1 << 20, file) : 0;
    int rc = weir_schema_new(&schema);
    if (rc == 0)
        rc = weir_schema_add_set(schema, bytes, len, why, sizeof(why));
    if (rc == 0)
        rc = weir_schema_link(schema, why, sizeof(why));
    if (rc < 0)
        fprintf(stderr, "%s\n", why);
    if (file)
        fclose(file);
    free(bytes);
    return rc;
}

static int print_schema(const char *path)
{
    if (load(path) < 0)
        return 1;
    for (size_t i = 0; messages[i]; i++)
        print_message(weir_schema_message(schema, messages[i]->name));
    return 0;
}
#endif

static const ProtobufCMessageDescriptor *find(const char *name)
{
#ifdef WEIR
    if (*name == '+')
        return weir_schema_message(schema, name + 1);
#endif
    for (size_t i = 0; messages[i]; i++)
        if (strcmp(messages[i]->name, name) == 0)
            return messages[i];
    return NULL;
}

/* Standard input is any number of messages, each after its length in four bytes; so is the output. */
static int pass(const char *name)
{
    const ProtobufCMessageDescriptor *type = find(name);
    uint32_t len;
    if (!type)
        return 3;
    while (fread(&len, sizeof(len), 1, stdin) == 1) {
        uint8_t *bytes = malloc(len + 1);
        if (fread(bytes, 1, len, stdin) != len)
            return 4;
        ProtobufCMessage *message = NULL;
#ifdef WEIR
        char why[256];
        int rc = weir_message_unpack(type, bytes, len, NULL, &message, why, sizeof(why));
        if (rc < 0) {
            fprintf(stderr, "%d %s\n", rc, why);
            return 5;
        }
#else
        message = protobuf_c_message_unpack(type, NULL, len, bytes);
        if (!message)
            return 5;
#endif
        len = (uint32_t)protobuf_c_message_get_packed_size(message);
        uint8_t *again = malloc(len + 1);
        protobuf_c_message_pack(message, again);
        fwrite(&len, sizeof(len), 1, stdout);
        fwrite(again, 1, len, stdout);
        protobuf_c_message_free_unpacked(message, NULL);
        free(again);
        free(bytes);
    }
    return 0;
}

#ifdef WEIR
static void put(const void *bytes, size_t len)
{
    uint32_t n = (uint32_t)len;
    fwrite(&n, sizeof(n), 1, stdout);
    fwrite(bytes, 1, len, stdout);
}

static int write_one(const ProtobufCMessageDescriptor *type,
                     const struct weir_json_options *options, const uint8_t *bytes, uint32_t len,
                     char *why, size_t why_size)
{
    ProtobufCMessage *message;
    char *text;
    size_t text_len;
    int rc = weir_message_unpack(type, bytes, len, NULL, &message, why, why_size);
    if (rc < 0)
        return rc;
    rc = weir_json_write(message, options, &text, &text_len, why, why_size);
    weir_message_free(message);
    if (rc < 0)
        return rc;
    put(text, text_len);
    free(text);
    return 0;
}

static int read_one(const ProtobufCMessageDescriptor *type, const struct weir_json_options *options,
                    const uint8_t *bytes, uint32_t len, char *why, size_t why_size)
{
    ProtobufCMessage *message;
    int rc = weir_json_read(type, (const char *)bytes, len, options, &message, why, why_size);
    if (rc < 0)
        return rc;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + 1);
    put(packed, protobuf_c_message_pack(message, packed));
    free(packed);
    weir_message_free(message);
    return 0;
}

/* Each message of standard input gives one: what it is, or "!" and what is wrong. */
static int json(bool write, const char *name, const char *set, const char *words)
{
    struct weir_json_options options = {.original_names = strchr(words, 'o') != NULL,
                                        .defaults = strchr(words, 'd') != NULL,
                                        .ignore_unknown = strchr(words, 'u') != NULL,
                                        .indent = strchr(words, 'i') ? 2 : 0};
    uint32_t len;
    if (load(set) < 0)
        return 1;
    options.types = schema;
    while (fread(&len, sizeof(len), 1, stdin) == 1) {
        uint8_t *bytes = malloc(len ? len : 1);
        char why[256] = "", text[300];
        if (fread(bytes, 1, len, stdin) != len)
            return 4;
        int rc = (write ? write_one : read_one)(find(name), &options, bytes, len, why, sizeof(why));
        if (rc < 0)
            put(text, (size_t)snprintf(text, sizeof(text), "!%d %s", rc, why));
        free(bytes);
    }
    weir_schema_free(schema);
    return 0;
}
#endif

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "pass") == 0)
        return pass(argv[2]);
#ifdef WEIR
    if (argc == 2 && strcmp(argv[1], "services") == 0)
        return print_services();
    if (argc == 3 && strcmp(argv[1], "tables") == 0)
        return print_schema(argv[2]);
    if (argc >= 4 && (strcmp(argv[1], "write") == 0 || strcmp(argv[1], "read") == 0))
        return json(argv[1][0] == 'w', argv[2], argv[3], argc > 4 ? argv[4] : "");
#endif
    return argc == 2 && strcmp(argv[1], "tables") == 0 ? print_tables() : 2;
}
