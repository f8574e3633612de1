/* A header and a source for a .proto file. */
#include "protoc/emit.h"

static void each(struct emit *e, void (*work)(struct emit *, const struct proto_message *))
{
    for (unsigned i = 0; i < e->file->message_count; i++)
        work(e, &e->file->messages[i]);
}

static void emit_typedefs(struct emit *e, const struct proto_message *m)
{
    emit_about(e, m->full_name);
    emit(e, "typedef struct $T $T;\n");
    for (unsigned i = 0; i < m->message_count; i++)
        emit_typedefs(e, &m->messages[i]);
}

static void emit_enums(struct emit *e, const struct proto_message *m)
{
    for (unsigned i = 0; i < m->message_count; i++)
        emit_enums(e, &m->messages[i]);
    for (unsigned i = 0; i < m->enum_count; i++)
        emit_enum(e, &m->enums[i]);
}

void emit_header(struct emit *e)
{
    const struct proto_file *file = e->file;
    const char *name = name_of_file(e->schema, file->name);
    emit(e, "/* Made by protoc-gen-weir from $s: not to be edited. */\n", file->name);
    emit(e, "#ifndef WEIR_PROTO_$s\n#define WEIR_PROTO_$s\n\n#include <weir/message.h>\n\n", name,
         name);
    for (unsigned i = 0; i < file->import_count; i++)
        emit(e, "#include \"$s.pb-weir.h\"\n", name_stem(e->schema, file->imports[i]));
    emit(e, "\nextern const struct weir_rpc_file weir_rpc_file__$s;\n\n", name);
    each(e, emit_typedefs);
    emit(e, "\n");
    each(e, emit_enums);
    for (unsigned i = 0; i < file->enum_count; i++)
        emit_enum(e, &file->enums[i]);
    each(e, emit_struct);
    each(e, emit_message_functions);
    for (unsigned i = 0; i < file->enum_count; i++) {
        emit_about(e, file->enums[i].full_name);
        emit(e, "extern const ProtobufCEnumDescriptor $l__descriptor;\n");
    }
    emit(e, "\n");
    for (unsigned i = 0; i < file->service_count; i++)
        emit_service(e, &file->services[i]);
    emit(e, "#endif\n");
}

/* The FileDescriptorProto as it came, without where everything stood (source_code_info, 9). */
static void emit_bytes(struct emit *e)
{
    struct wire w;
    struct wire_field f;
    unsigned column = 0;
    const uint8_t *from = e->file->bytes;
    emit(e, "static const uint8_t file_bytes[] = {");
    for (wire_init(&w, from, e->file->len); wire_next(&w, &f); from = w.at)
        for (const uint8_t *at = from; f.number != 9 && at < w.at; at++)
            emit(e, column++ % 24 ? "$u," : "\n    $u,", (unsigned)*at);
    emit(e, "\n};\n");
}

static void emit_embedded(struct emit *e)
{
    const struct proto_file *file = e->file;
    emit_bytes(e);
    if (file->import_count > 0)
        emit(e, "static const struct weir_rpc_file *const file_imports[] = {\n");
    for (unsigned i = 0; i < file->import_count; i++)
        emit(e, "    &weir_rpc_file__$s,\n", name_of_file(e->schema, file->imports[i]));
    if (file->import_count > 0)
        emit(e, "};\n");
    emit(e,
         "const struct weir_rpc_file weir_rpc_file__$s = {\n    .name = $q,\n"
         "    .bytes = file_bytes,\n    .len = sizeof(file_bytes),\n",
         name_of_file(e->schema, file->name), file->name);
    if (file->import_count > 0)
        emit(e, "    .imports = file_imports,\n    .import_count = $u,\n", file->import_count);
    emit(e, "};\n\n");
}

void emit_source(struct emit *e)
{
    const struct proto_file *file = e->file;
    emit(e, "/* Made by protoc-gen-weir from $s: not to be edited. */\n", file->name);
    emit(e,
         "#ifndef PROTOBUF_C__NO_DEPRECATED\n#define PROTOBUF_C__NO_DEPRECATED\n#endif\n\n"
         "#include \"$s.pb-weir.h\"\n\n#include <math.h>\n\n",
         name_stem(e->schema, file->name));
    emit_embedded(e);
    each(e, emit_message_bodies);
    each(e, emit_message_table);
    for (unsigned i = 0; i < file->enum_count; i++)
        emit_enum_table(e, &file->enums[i]);
    for (unsigned i = 0; i < file->service_count; i++)
        emit_service_table(e, &file->services[i]);
}
