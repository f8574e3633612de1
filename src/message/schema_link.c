/* Finds every type that is named, and what is wrong between declarations. */
#include "base/bytes.h"
#include "message/schema.h"
#include "tbl/limits_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_symbol(const void *a, const void *b)
{
    return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

const struct symbol *schema_find(const struct weir_schema *s, const char *name)
{
    struct symbol key = {.name = name};
    return s->symbols ? bsearch(&key, s->symbols, s->symbol_count, sizeof(key), by_symbol) : NULL;
}

static int by_file_name(const void *a, const void *b)
{
    return strcmp((*(struct proto_file *const *)a)->name, (*(struct proto_file *const *)b)->name);
}

struct proto_file *schema_file(const struct weir_schema *s, const char *name)
{
    struct proto_file wanted = {.name = name}, *key = &wanted, **found, *file = s->files;
    if (s->sorted) {
        found = bsearch(&key, s->sorted, s->file_count, sizeof(key), by_file_name);
        return found ? *found : NULL;
    }
    while (file && strcmp(file->name, name) != 0)
        file = file->next;
    return file;
}

static void declare(struct weir_schema *s, const struct proto_file *file, const char *name,
                    enum symbol_kind kind, void *at)
{
    if (s->symbols)
        s->symbols[s->symbol_count] = (struct symbol){name, kind, at, file};
    s->symbol_count++;
}

static void declare_message(struct weir_schema *s, struct proto_message *m)
{
    declare(s, m->file, m->full_name, SYMBOL_MESSAGE, m);
    for (unsigned i = 0; i < m->message_count; i++)
        declare_message(s, &m->messages[i]);
    for (unsigned i = 0; i < m->enum_count; i++)
        declare(s, m->file, m->enums[i].full_name, SYMBOL_ENUM, &m->enums[i]);
}

/* Counts them while there is no table yet. */
static void declare_all(struct weir_schema *s)
{
    s->symbol_count = 0;
    for (struct proto_file *file = s->files; file; file = file->next) {
        for (unsigned i = 0; i < file->message_count; i++)
            declare_message(s, &file->messages[i]);
        for (unsigned i = 0; i < file->enum_count; i++)
            declare(s, file, file->enums[i].full_name, SYMBOL_ENUM, &file->enums[i]);
        for (unsigned i = 0; i < file->service_count; i++)
            declare(s, file, file->services[i].full_name, SYMBOL_SERVICE, &file->services[i]);
    }
}

/* Sorted, not hashed: who names the types cannot make looking them up slow. */
static int sort_symbols(struct weir_schema *s)
{
    declare_all(s);
    s->symbols = schema_take(s, s->symbol_count, sizeof(*s->symbols));
    if (!s->symbols)
        return -EPROTO;
    declare_all(s);
    qsort(s->symbols, s->symbol_count, sizeof(*s->symbols), by_symbol);
    for (size_t i = 1; i < s->symbol_count; i++)
        if (by_symbol(&s->symbols[i - 1], &s->symbols[i]) == 0)
            return schema_fail(s, s->symbols[i].file, s->symbols[i].name,
                               "%.200s is declared twice", s->symbols[i].name);
    return 0;
}

static int sort_files(struct weir_schema *s)
{
    size_t count = 0;
    struct proto_file **sorted = schema_take(s, s->file_count, sizeof(*sorted));
    if (!sorted)
        return -EPROTO;
    for (struct proto_file *file = s->files; file; file = file->next)
        sorted[count++] = file;
    qsort(sorted, count, sizeof(*sorted), by_file_name);
    s->sorted = sorted;
    return 0;
}

static int link_field(struct weir_schema *s, struct proto_message *m, struct proto_field *field)
{
    if (!field->type_name)
        return 0;
    const struct symbol *symbol = schema_find(s, field->type_name + 1);
    enum symbol_kind kind = field->type == PROTO_ENUM ? SYMBOL_ENUM : SYMBOL_MESSAGE;
    if (!symbol || symbol->kind != kind)
        return schema_fail(s, m->file, m->full_name, "field '%.80s': there is no type %.120s",
                           field->name, field->type_name + 1);
    if (kind == SYMBOL_ENUM)
        field->enumeration = symbol->at;
    else
        field->message = symbol->at;
    return 0;
}

static int check_default(struct weir_schema *s, const struct proto_message *m,
                         const struct proto_field *field)
{
    union {
        char bytes[8];
        double number;
    } value;
    bool ok = true;
    if (field->type == PROTO_ENUM) {
        ok = false;
        for (unsigned i = 0; i < field->enumeration->value_count; i++)
            ok |= strcmp(field->enumeration->values[i].name, field->default_text) == 0;
    } else if (field->type == PROTO_BYTES) {
        char *out = schema_take(s, strlen(field->default_text) + 1, 1);
        ok = out && schema_unescape(field->default_text, out) >= 0;
    } else if (field->type != PROTO_STRING) {
        ok = schema_number(field->type, field->default_text, &value) == 0;
    }
    return ok ? 0
              : schema_fail(s, m->file, m->full_name, "field '%.80s' has a default that cannot be",
                            field->name);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No two fields with one number or one name. */
static int check_fields(struct weir_schema *s, const struct proto_message *m)
{
    uint32_t *numbers = schema_take(s, m->field_count, sizeof(*numbers));
    const char **names = schema_take(s, m->field_count, sizeof(*names));
    if (!numbers || !names)
        return -EPROTO;
    for (unsigned i = 0; i < m->field_count; i++) {
        numbers[i] = m->fields[i].number;
        names[i] = m->fields[i].name;
    }
    qsort(numbers, m->field_count, sizeof(*numbers), by_number);
    qsort(names, m->field_count, sizeof(*names), by_name);
    for (unsigned i = 1; i < m->field_count; i++) {
        if (numbers[i - 1] == numbers[i])
            return schema_fail(s, m->file, m->full_name, "two fields with the number %u",
                               numbers[i]);
        if (strcmp(names[i - 1], names[i]) == 0)
            return schema_fail(s, m->file, m->full_name, "two fields are called '%.80s'", names[i]);
    }
    return 0;
}

static bool is_key(enum proto_type type)
{
    return type != PROTO_DOUBLE && type != PROTO_FLOAT && type != PROTO_BYTES &&
           type != PROTO_ENUM && type != PROTO_MESSAGE && type != PROTO_GROUP;
}

/* What a map is made of: a key 1 and a value 2. */
static int check_map(struct weir_schema *s, const struct proto_message *m)
{
    const struct proto_field *key = m->fields, *value = m->fields + 1;
    bool ok = m->field_count == 2 && m->oneof_count == 0 && key->number == 1 &&
              value->number == 2 && key->label == PROTO_OPTIONAL &&
              value->label == PROTO_OPTIONAL && is_key(key->type) && value->type != PROTO_GROUP;
    return ok ? 0 : schema_fail(s, m->file, m->full_name, "it is no entry of a map");
}

static int link_message(struct weir_schema *s, struct proto_message *m)
{
    int rc = check_fields(s, m);
    for (unsigned i = 0; rc == 0 && i < m->field_count; i++) {
        rc = link_field(s, m, &m->fields[i]);
        if (rc == 0 && m->fields[i].default_text)
            rc = check_default(s, m, &m->fields[i]);
    }
    if (rc == 0 && m->map_entry)
        rc = check_map(s, m);
    for (unsigned i = 0; rc == 0 && i < m->message_count; i++)
        rc = link_message(s, &m->messages[i]);
    return rc;
}

static struct proto_message *message_of(struct weir_schema *s, const char *type_name)
{
    const struct symbol *symbol = schema_find(s, type_name + 1);
    return symbol && symbol->kind == SYMBOL_MESSAGE ? symbol->at : NULL;
}

static int link_service(struct weir_schema *s, struct proto_service *service)
{
    for (unsigned i = 0; i < service->method_count; i++) {
        struct proto_method *m = &service->methods[i];
        m->input = message_of(s, m->input_name);
        m->output = message_of(s, m->output_name);
        if (!m->input || !m->output)
            return schema_fail(s, service->file, service->full_name,
                               "method '%.80s': there is no message %.120s", m->name,
                               (m->input ? m->output_name : m->input_name) + 1);
    }
    return 0;
}

static int link_file(struct weir_schema *s, struct proto_file *file)
{
    int rc = 0;
    for (unsigned i = 0; i < file->import_count; i++)
        if (!schema_file(s, file->imports[i]))
            return schema_fail(s, file, NULL, "its import %.200s is missing", file->imports[i]);
    for (unsigned i = 0; rc == 0 && i < file->message_count; i++)
        rc = link_message(s, &file->messages[i]);
    for (unsigned i = 0; rc == 0 && i < file->service_count; i++)
        rc = link_service(s, &file->services[i]);
    return rc;
}

int schema_link(struct weir_schema *s)
{
    int rc = sort_files(s);
    if (rc == 0)
        rc = sort_symbols(s);
    for (struct proto_file *file = s->files; rc == 0 && file; file = file->next)
        rc = link_file(s, file);
    return rc;
}
