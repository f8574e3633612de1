#include "message/schema_text.h"

#include "base/bytes.h"

#include <string.h>

static const char *scalar_name(enum proto_type type)
{
    static const char *const names[] = {
        [PROTO_DOUBLE] = "double",   [PROTO_FLOAT] = "float",       [PROTO_INT64] = "int64",
        [PROTO_UINT64] = "uint64",   [PROTO_INT32] = "int32",       [PROTO_FIXED64] = "fixed64",
        [PROTO_FIXED32] = "fixed32", [PROTO_BOOL] = "bool",         [PROTO_STRING] = "string",
        [PROTO_GROUP] = "group",     [PROTO_MESSAGE] = "message",   [PROTO_BYTES] = "bytes",
        [PROTO_UINT32] = "uint32",   [PROTO_ENUM] = "enum",         [PROTO_SFIXED32] = "sfixed32",
        [PROTO_SINT32] = "sint32",   [PROTO_SFIXED64] = "sfixed64", [PROTO_SINT64] = "sint64",
    };
    return names[type];
}

static const char *type_name(const struct proto_field *field)
{
    return field->type_name ? field->type_name + 1 : scalar_name(field->type);
}

static void indent(struct grow *out, unsigned level)
{
    for (unsigned i = 0; i < level; i++)
        grow_str(out, "  ");
}

static void add_type(struct grow *out, const struct proto_message *m,
                     const struct proto_field *field)
{
    static const char *const labels[] = {"", "optional ", "required ", "repeated "};
    bool map = field->label == PROTO_REPEATED && field->message && field->message->map_entry;
    bool plain = field->label == PROTO_OPTIONAL &&
                 (field->oneof >= 0 || (m->file->proto3 && !field->proto3_optional));
    if (map) {
        const struct proto_message *entry = field->message;
        grow_str(out, "map<");
        grow_str(out, type_name(&entry->fields[0]));
        grow_str(out, ", ");
        grow_str(out, type_name(&entry->fields[1]));
        grow_str(out, "> ");
        return;
    }
    grow_str(out, plain ? "" : labels[field->label]);
    grow_str(out, type_name(field));
    grow_char(out, ' ');
}

/* What was written by a stranger and stands in quotes: nothing of it leaves them. */
static void add_quoted(struct grow *out, const char *text)
{
    grow_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            grow_char(out, '\\');
        grow_char(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
    }
    grow_char(out, '"');
}

static void add_options(struct grow *out, const struct proto_field *field)
{
    bool quotes = field->type == PROTO_STRING || field->type == PROTO_BYTES;
    if (!field->default_text && !field->deprecated)
        return;
    grow_str(out, " [");
    if (field->default_text) {
        grow_str(out, "default = ");
        if (quotes)
            add_quoted(out, field->default_text);
        else
            grow_str(out, field->default_text);
    }
    if (field->deprecated)
        grow_str(out, field->default_text ? ", deprecated = true" : "deprecated = true");
    grow_char(out, ']');
}

static void add_field(struct grow *out, const struct proto_message *m,
                      const struct proto_field *field, unsigned level)
{
    indent(out, level);
    add_type(out, m, field);
    grow_str(out, field->name);
    grow_fmt(out, " = %u", field->number);
    add_options(out, field);
    grow_str(out, ";\n");
}

static void add_oneof(struct grow *out, const struct proto_message *m, int oneof, unsigned level)
{
    indent(out, level);
    grow_str(out, "oneof ");
    grow_str(out, m->oneofs[oneof]);
    grow_str(out, " {\n");
    for (unsigned i = 0; i < m->field_count; i++)
        if (m->fields[i].oneof == oneof)
            add_field(out, m, &m->fields[i], level + 1);
    indent(out, level);
    grow_str(out, "}\n");
}

static void add_enum(struct grow *out, const struct proto_enum *e, const char *name, unsigned level)
{
    indent(out, level);
    grow_str(out, "enum ");
    grow_str(out, name);
    grow_str(out, " {\n");
    for (unsigned i = 0; i < e->value_count; i++) {
        indent(out, level + 1);
        grow_str(out, e->values[i].name);
        grow_fmt(out, " = %d;\n", e->values[i].number);
    }
    indent(out, level);
    grow_str(out, "}\n");
}

static void add_message(struct grow *out, const struct proto_message *m, const char *name,
                        unsigned level)
{
    indent(out, level);
    grow_str(out, "message ");
    grow_str(out, name);
    grow_str(out, " {\n");
    for (unsigned i = 0; i < m->enum_count; i++)
        add_enum(out, &m->enums[i], m->enums[i].name, level + 1);
    for (unsigned i = 0; i < m->message_count; i++)
        if (!m->messages[i].map_entry)
            add_message(out, &m->messages[i], m->messages[i].name, level + 1);
    int said = -1; /* of the oneofs, which come in order */
    for (unsigned i = 0; i < m->field_count; i++) {
        const struct proto_field *field = &m->fields[i];
        if (field->oneof < 0)
            add_field(out, m, field, level + 1);
        else if (field->oneof > said)
            add_oneof(out, m, said = field->oneof, level + 1);
    }
    indent(out, level);
    grow_str(out, "}\n");
}

static void add_method(struct grow *out, const struct proto_method *m, unsigned level)
{
    indent(out, level);
    grow_str(out, "rpc ");
    grow_str(out, m->name);
    grow_str(out, m->client_streaming ? "(stream " : "(");
    grow_str(out, m->input_name + 1);
    grow_str(out, m->server_streaming ? ") returns (stream " : ") returns (");
    grow_str(out, m->output_name + 1);
    grow_str(out, ");\n");
}

static void add_service(struct grow *out, const struct proto_service *s)
{
    grow_str(out, "service ");
    grow_str(out, s->full_name);
    grow_str(out, " {\n");
    for (unsigned i = 0; i < s->method_count; i++)
        add_method(out, &s->methods[i], 1);
    grow_str(out, "}\n");
}

/* Of "package.Service/Method" or "package.Service.Method". */
static const struct proto_method *find_method(const struct weir_schema *s, const char *name)
{
    const char *end = strchr(name, '/');
    char service[512];
    end = end ? end : strrchr(name, '.');
    if (!end || (size_t)(end - name) >= sizeof(service))
        return NULL;
    memcpy(service, name, (size_t)(end - name));
    service[end - name] = '\0';
    const struct symbol *symbol = schema_find(s, service);
    if (!symbol || symbol->kind != SYMBOL_SERVICE)
        return NULL;
    const struct proto_service *of = symbol->at;
    for (unsigned i = 0; i < of->method_count; i++)
        if (strcmp(of->methods[i].name, end + 1) == 0)
            return &of->methods[i];
    return NULL;
}

bool schema_describe(const struct weir_schema *s, const char *name, struct grow *out)
{
    const struct symbol *symbol = schema_find(s, name);
    const struct proto_method *method = symbol ? NULL : find_method(s, name);
    if (method)
        add_method(out, method, 0);
    else if (!symbol)
        return false;
    else if (symbol->kind == SYMBOL_SERVICE)
        add_service(out, symbol->at);
    else if (symbol->kind == SYMBOL_ENUM)
        add_enum(out, symbol->at, name, 0);
    else
        add_message(out, symbol->at, name, 0);
    return true;
}

/* The same last part, in any case: "etcdserverpb.kv" and "KV" mean etcdserverpb.KV. */
const char *schema_like(const struct weir_schema *s, const char *name)
{
    const char *dot = strrchr(name, '.');
    struct weir_bytes last = bytes_str(dot ? dot + 1 : name);
    for (size_t i = 0; i < s->symbol_count; i++) {
        const char *full = s->symbols[i].name, *tail = strrchr(full, '.');
        if (bytes_same(bytes_str(tail ? tail + 1 : full), last))
            return full;
    }
    return "";
}
