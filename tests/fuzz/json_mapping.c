/* Text as a message and back: what is read is written, what was written is read as the same message. And bytes as text. */
#include "types.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct weir_schema *schema;
static struct weir_json_options options = {.bytes_max = 1024 * 1024};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    schema = types_schema();
    options.types = schema;
    return 0;
}

static uint8_t *packed(const ProtobufCMessage *message, size_t *out_len)
{
    *out_len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(*out_len + 1);
    if (protobuf_c_message_pack(message, bytes) != *out_len)
        abort();
    return bytes;
}

/* Written, read and packed: the bytes are those of before. An Any may hold what is packed otherwise: then once more. */
static void round_trip(const ProtobufCMessage *message, unsigned left)
{
    char *text, why[256] = "";
    size_t text_len, len, again_len;
    ProtobufCMessage *again;
    if (weir_json_write(message, &options, &text, &text_len, why, sizeof(why)) < 0) {
        if (!why[0])
            abort();
        return;
    }
    if (strlen(text) != text_len)
        abort();
    if (weir_json_read(message->descriptor, text, text_len, &options, &again, why, sizeof(why)) <
        0) {
        if (!strstr(why, "too much memory") && !strstr(why, "too deep"))
            abort();
        free(text);
        return;
    }
    uint8_t *before = packed(message, &len), *after = packed(again, &again_len);
    bool same = len == again_len && memcmp(before, after, len) == 0;
    if (!same && left == 0)
        abort();
    if (!same)
        round_trip(again, left - 1);
    free(before);
    free(after);
    free(text);
    weir_message_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const names[] = {"weir.three.All", "weir.Test_two.All",
                                        "weir.optional.Maybe", "google.protobuf.Value"};
    ProtobufCMessage *message;
    char why[64] = "";
    if (len == 0)
        return 0;
    const ProtobufCMessageDescriptor *type = weir_schema_message(schema, names[bytes[0] / 2 % 4]);
    char *copy = malloc(len);
    memcpy(copy, bytes + 1, --len);
    int rc = bytes[0] % 2 ? weir_message_unpack(type, copy, len, NULL, &message, why, sizeof(why))
                          : weir_json_read(type, copy, len, &options, &message, why, sizeof(why));
    if ((rc < 0) != (why[0] != '\0'))
        abort();
    if (rc == 0) {
        round_trip(message, 2);
        weir_message_free(message);
    }
    free(copy);
    return 0;
}
