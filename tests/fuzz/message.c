/* Bytes of a message: what the check lets pass unpacks, within the memory it allows, and packs to what passes again. */
#include "tbl/limits_message.h"
#include "types.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct weir_schema *schema;
static const char *const names[] = {
    "weir.check.Node", "weir.check.Wide",   "weir.check.Old", "weir.optional.Maybe",
    "weir.three.All",  "weir.Test_two.All", "words",          "google.protobuf.Struct"};
static size_t taken;

static void *count_alloc(void *arg, size_t len)
{
    (void)arg;
    taken += len;
    return malloc(len ? len : 1);
}

static void count_free(void *arg, void *at)
{
    (void)arg;
    free(at);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    schema = types_schema();
    return 0;
}

static void pack_again(const ProtobufCMessage *message)
{
    static const struct weir_message_limits limits = {.bytes_max = SIZE_MAX / 2,
                                                      .memory_max = SIZE_MAX / 2};
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(len + 1);
    if (protobuf_c_message_pack(message, bytes) != len)
        abort();
    if (weir_message_check(message->descriptor, bytes, len, &limits, NULL, 0) < 0)
        abort();
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char why[64];
    ProtobufCAllocator counting = {count_alloc, count_free, NULL};
    if (len == 0)
        return 0;
    const ProtobufCMessageDescriptor *type =
        weir_schema_message(schema, names[bytes[0] % (sizeof(names) / sizeof(*names))]);
    uint8_t *copy = malloc(len); /* its very end is watched */
    memcpy(copy, bytes + 1, --len);
    if (weir_message_check(type, copy, len, NULL, why, sizeof(why)) == 0) {
        taken = 0;
        ProtobufCMessage *message = protobuf_c_message_unpack(type, &counting, len, copy);
        if (!message || taken > LIMIT_MESSAGE_SMALL + LIMIT_MESSAGE_GROWTH * len)
            abort();
        pack_again(message);
        protobuf_c_message_free_unpacked(message, &counting);
    }
    free(copy);
    return 0;
}
