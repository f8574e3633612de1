/* Bytes of a FileDescriptorSet: refused with a reason, or tables that messages can be made, packed and unpacked with. */
#include <weir/message.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void use(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t len)
{
    ProtobufCMessage *message = weir_message_new(type);
    if (!message)
        abort();
    weir_message_free(message);
    if (weir_message_unpack(type, bytes, len, NULL, &message, NULL, 0) < 0)
        return;
    size_t packed = protobuf_c_message_get_packed_size(message);
    uint8_t *again = malloc(packed + 1);
    if (protobuf_c_message_pack(message, again) != packed)
        abort();
    free(again);
    weir_message_free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct weir_schema *schema;
    char why[256] = "";
    if (weir_schema_new(&schema) < 0)
        return 0;
    int rc = weir_schema_add_set(schema, bytes, len, why, sizeof(why));
    if (rc == 0)
        rc = weir_schema_link(schema, why, sizeof(why));
    if ((rc < 0) != (why[0] != '\0') || memchr(why, '\n', strlen(why)))
        abort();
    for (size_t i = 0; rc == 0 && weir_schema_service(schema, i); i++) {
        const struct weir_rpc_service *s = weir_schema_service(schema, i);
        for (unsigned j = 0; j < s->method_count; j++) {
            use(s->methods[j].input, bytes, len);
            use(s->methods[j].output, bytes, len);
        }
    }
    weir_schema_free(schema);
    return 0;
}
