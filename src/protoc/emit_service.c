/* Services: protoc-c's structs and stubs, and beside them what its tables have no word for: paths and directions. */
#include "protoc/emit.h"

#include <stdlib.h>
#include <string.h>

static void emit_signature(struct emit *e, const struct proto_method *m, const char *service)
{
    emit(e, "($s *service, const $s *input,\n        $s_Closure closure, void *closure_data)",
         service, name_type(e->schema, m->input->full_name),
         name_type(e->schema, m->output->full_name));
}

void emit_service(struct emit *e, const struct proto_service *s)
{
    emit_about(e, s->full_name);
    emit(
        e,
        "typedef struct $T_Service $T_Service;\nstruct $T_Service {\n    ProtobufCService base;\n");
    for (unsigned i = 0; i < s->method_count; i++) {
        emit(e, "    void (*$s)",
             name_member(e->schema, name_word_lower(e->schema, s->methods[i].name)));
        emit(
            e,
            "($T_Service *service, const $s *input,\n        $s_Closure closure, void *closure_data);\n",
            name_type(e->schema, s->methods[i].input->full_name),
            name_type(e->schema, s->methods[i].output->full_name));
    }
    emit(e, "};\ntypedef void (*$T_ServiceDestroy)($T_Service *);\n"
            "void $l__init($T_Service *service, $T_ServiceDestroy destroy);\n"
            "#define $U__BASE_INIT { &$l__descriptor, protobuf_c_service_invoke_internal, NULL }\n"
            "#define $U__INIT(function_prefix__) \\\n    { $U__BASE_INIT");
    for (unsigned i = 0; i < s->method_count; i++)
        emit(e, ", \\\n      function_prefix__ ## $s",
             name_word_lower(e->schema, s->methods[i].name));
    emit(e, " }\n");
    for (unsigned i = 0; i < s->method_count; i++) {
        emit(e, "void $l__$s", name_word_lower(e->schema, s->methods[i].name));
        emit_signature(e, &s->methods[i], "ProtobufCService");
        emit(e, ";\n");
    }
    emit(e, "extern const ProtobufCServiceDescriptor $l__descriptor;\n"
            "extern const struct weir_rpc_service $l__rpc;\n\n");
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct proto_method *const *)a)->name,
                  (*(const struct proto_method *const *)b)->name);
}

static void emit_methods(struct emit *e, const struct proto_service *s)
{
    emit(e, "static const ProtobufCMethodDescriptor $l__method_descriptors[] = {\n");
    for (unsigned i = 0; i < s->method_count; i++)
        emit(e, "    {$q, &$s__descriptor, &$s__descriptor},\n", s->methods[i].name,
             name_lower(e->schema, s->methods[i].input->full_name),
             name_lower(e->schema, s->methods[i].output->full_name));
    emit(e, "};\nstatic const struct weir_rpc_method $l__rpc_methods[] = {\n");
    for (unsigned i = 0; i < s->method_count; i++) {
        const struct proto_method *m = &s->methods[i];
        emit(
            e,
            "    {.path = \"/$s/$s\",\n     .input = &$s__descriptor,\n     .output = &$s__descriptor,\n",
            s->full_name, m->name, name_lower(e->schema, m->input->full_name),
            name_lower(e->schema, m->output->full_name));
        emit(e, "     .client_streaming = $s,\n     .server_streaming = $s},\n",
             m->client_streaming ? "true" : "false", m->server_streaming ? "true" : "false");
    }
    emit(e, "};\n");
}

static void emit_method_order(struct emit *e, const struct proto_service *s)
{
    const struct proto_method **sorted = schema_take(e->schema, s->method_count, sizeof(*sorted));
    if (!sorted)
        return;
    for (unsigned i = 0; i < s->method_count; i++)
        sorted[i] = &s->methods[i];
    qsort(sorted, s->method_count, sizeof(*sorted), by_name);
    emit(e, "static const unsigned $l__method_indices_by_name[] = {\n");
    for (unsigned i = 0; i < s->method_count; i++)
        emit(e, "    $u, /* $s */\n", (unsigned)(sorted[i] - s->methods), sorted[i]->name);
    emit(e, "};\n");
}

static void emit_stubs(struct emit *e, const struct proto_service *s)
{
    for (unsigned i = 0; i < s->method_count; i++) {
        emit(e, "void $l__$s", name_word_lower(e->schema, s->methods[i].name));
        emit_signature(e, &s->methods[i], "ProtobufCService");
        emit(e,
             "\n{\n    service->invoke(service, $u, &input->base, (ProtobufCClosure)closure, "
             "closure_data);\n}\n",
             i);
    }
    emit(e, "void $l__init($T_Service *service, $T_ServiceDestroy destroy)\n{\n"
            "    protobuf_c_service_generated_init(&service->base, &$l__descriptor,\n"
            "                                      (ProtobufCServiceDestroy)destroy);\n}\n\n");
}

void emit_service_table(struct emit *e, const struct proto_service *s)
{
    emit_about(e, s->full_name);
    if (s->method_count > 0) {
        emit_methods(e, s);
        emit_method_order(e, s);
    }
    emit(
        e,
        "const ProtobufCServiceDescriptor $l__descriptor = {\n"
        "    .magic = PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,\n    .name = $q,\n    .short_name = $q,\n"
        "    .c_name = \"$T\",\n    .package = $q,\n    .n_methods = $u,\n",
        s->full_name, s->name, e->file->package, s->method_count);
    if (s->method_count > 0)
        emit(e, "    .methods = $l__method_descriptors,\n"
                "    .method_indices_by_name = $l__method_indices_by_name,\n");
    emit(
        e,
        "};\nconst struct weir_rpc_service $l__rpc = {\n    .name = $q,\n    .descriptor = &$l__descriptor,\n",
        s->full_name);
    if (s->method_count > 0)
        emit(e, "    .methods = $l__rpc_methods,\n    .method_count = $u,\n", s->method_count);
    emit(e, "    .file = &weir_rpc_file__$s,\n};\n", name_of_file(e->schema, e->file->name));
    emit_stubs(e, s);
}
