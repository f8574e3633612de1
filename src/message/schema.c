/* Types known at run time: what weir/message.h promises of them. */
#include "message/schema.h"

#include "base/text.h"
#include "message/wire.h"
#include "tbl/limits_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int weir_schema_new(struct weir_schema **out)
{
    struct weir_schema *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    arena_init(&s->arena, LIMIT_SCHEMA_SMALL);
    s->files_end = &s->files;
    *out = s;
    return 0;
}

void weir_schema_free(struct weir_schema *s)
{
    if (!s)
        return;
    arena_done(&s->arena);
    free(s);
}

static int told(const struct weir_schema *s, int rc, char *why, size_t why_size)
{
    struct text t;
    if (!why || why_size == 0)
        return rc;
    text_init(&t, why, why_size);
    if (rc < 0 && s->where.file && s->where.file->name) {
        text_str(&t, s->where.file->name);
        text_str(&t, ": ");
    }
    if (rc < 0 && s->where.name) {
        text_str(&t, s->where.name);
        text_str(&t, ": ");
    }
    text_str(&t, rc < 0 ? s->why : "");
    text_end(&t);
    return rc;
}

/* Names and tables cost so much for a byte of descriptor, and no more. */
static void allow(struct weir_schema *s, size_t len)
{
    if (len <= LIMIT_SCHEMA_BYTES && s->arena.max < SIZE_MAX / 2)
        s->arena.max += len * LIMIT_SCHEMA_GROWTH;
}

static const void *keep(struct weir_schema *s, const void *bytes, size_t len)
{
    return len > LIMIT_SCHEMA_BYTES ? NULL : arena_copy(&s->arena, bytes, len);
}

int weir_schema_add_file(struct weir_schema *s, const void *bytes, size_t len, char *why,
                         size_t why_size)
{
    if (s->linked)
        return told(s, schema_fail(s, NULL, NULL, "the types are in use already"), why, why_size);
    allow(s, len);
    const void *kept = keep(s, bytes, len);
    if (!kept)
        return told(s, schema_fail(s, NULL, NULL, "more descriptors than are taken"), why,
                    why_size);
    return told(s, schema_read(s, kept, len), why, why_size);
}

/* FileDescriptorSet: file 1. */
int weir_schema_add_set(struct weir_schema *s, const void *bytes, size_t len, char *why,
                        size_t why_size)
{
    struct wire w;
    struct wire_field f;
    int rc = 0;
    bool any = false;
    for (wire_init(&w, bytes, len); rc == 0 && wire_next(&w, &f);) {
        if (f.number != 1 || f.type != WIRE_BYTES)
            continue;
        any = true;
        rc = weir_schema_add_file(s, f.bytes.at, f.bytes.len, why, why_size);
    }
    if (rc == 0 && w.bad)
        rc = told(s, schema_fail(s, NULL, NULL, "it is no set of descriptors: %s", w.bad), why,
                  why_size);
    if (rc == 0 && !any)
        rc = told(s, schema_fail(s, NULL, NULL, "it is no set of descriptors: no file in it"), why,
                  why_size);
    return rc;
}

const char *weir_schema_missing(const struct weir_schema *s)
{
    for (const struct proto_file *file = s->files; file; file = file->next)
        for (unsigned i = 0; i < file->import_count; i++)
            if (!schema_file(s, file->imports[i]))
                return file->imports[i];
    return NULL;
}

int weir_schema_link(struct weir_schema *s, char *why, size_t why_size)
{
    if (s->linked)
        return 0;
    int rc = schema_link(s);
    if (rc == 0)
        rc = schema_tables(s);
    s->linked = rc == 0;
    return told(s, rc, why, why_size);
}

const ProtobufCMessageDescriptor *weir_schema_message(const struct weir_schema *s, const char *name)
{
    const struct symbol *symbol = s->linked ? schema_find(s, name) : NULL;
    return symbol && symbol->kind == SYMBOL_MESSAGE ? ((struct proto_message *)symbol->at)->table
                                                    : NULL;
}

const struct weir_rpc_service *weir_schema_service(const struct weir_schema *s, size_t index)
{
    return s->linked && index < s->service_count ? &s->services[index] : NULL;
}

const struct weir_rpc_method *weir_schema_method(const struct weir_schema *s, const char *path)
{
    for (size_t i = 0; s->linked && i < s->service_count; i++)
        for (unsigned j = 0; j < s->services[i].method_count; j++)
            if (strcmp(s->services[i].methods[j].path, path) == 0)
                return &s->services[i].methods[j];
    return NULL;
}
