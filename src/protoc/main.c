/*
 * protoc-gen-weir: a plugin of protoc (protoc --weir_out=DIR FILE.proto): C structs, tables and stubs out of .proto files.
 *
 * protoc writes a CodeGeneratorRequest to standard input and reads a CodeGeneratorResponse from standard output
 * (google/protobuf/compiler/plugin.proto). What is wrong with a .proto file goes into the response, what is wrong with the
 * request itself too: protoc shows both.
 */
#include "message/wire.h"
#include "protoc/emit.h"
#include "protoc/places.h"
#include "tbl/limits_message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
    struct weir_schema *schema;
    struct weir_bytes bytes;
    struct grow response;
    char why[1024];
};

static int fail(struct request *r, const char *file, unsigned line, const char *what)
{
    if (line)
        snprintf(r->why, sizeof(r->why), "%s:%u: %s", file, line, what);
    else
        snprintf(r->why, sizeof(r->why), "%s%s%s", file, *file ? ": " : "", what);
    return -EPROTO;
}

/* Everything up to the end; 0, -EFBIG, -errno. */
static int read_all(int fd, struct grow *out)
{
    char part[65536];
    ssize_t n;
    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno != EINTR)
            return -errno;
        grow_add(out, part, n > 0 ? (size_t)n : 0);
        if (out->cut)
            return -EFBIG;
    }
    return 0;
}

static int write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno != EINTR)
            return -errno;
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* CodeGeneratorRequest: file_to_generate 1, parameter 2, proto_file 15. */
static int read_request(struct request *r)
{
    struct wire w;
    struct wire_field f;
    for (wire_init(&w, r->bytes.at, r->bytes.len); wire_next(&w, &f);) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == 2 && f.bytes.len > 0)
            return fail(r, "", 0, "protoc-gen-weir takes no parameters: --weir_out=DIR");
        if (f.number == 15 &&
            weir_schema_add_file(r->schema, f.bytes.at, f.bytes.len, r->why, sizeof(r->why)) < 0)
            return -EPROTO;
    }
    if (w.bad)
        return fail(r, "", 0,
                    "standard input is no CodeGeneratorRequest: this program is run by protoc");
    if (schema_link(r->schema) < 0)
        return fail(r, r->schema->where.file ? r->schema->where.file->name : "", 0, r->schema->why);
    return 0;
}

/* CodeGeneratorResponse.File: name 1, content 15. */
static int add_file(struct request *r, struct emit *e, const char *end,
                    void (*write)(struct emit *))
{
    struct grow content, file, name;
    grow_init(&content, LIMIT_PLUGIN_BYTES);
    grow_init(&file, LIMIT_PLUGIN_BYTES);
    grow_init(&name, LIMIT_PLUGIN_BYTES);
    e->out = &content;
    write(e);
    grow_str(&name, name_stem(r->schema, e->file->name));
    grow_str(&name, end);
    grow_bytes(&file, 1, name.at, name.len);
    grow_bytes(&file, 15, content.at, content.len);
    grow_bytes(&r->response, 15, file.at, file.len);
    bool cut = content.cut || file.cut || name.cut;
    grow_done(&content);
    grow_done(&file);
    grow_done(&name);
    return cut ? fail(r, e->file->name, 0, "more code than can be written") : 0;
}

static int generate(struct request *r, struct weir_bytes name)
{
    char *path = arena_copy(&r->schema->arena, name.at, name.len);
    const struct proto_file *file = path ? schema_file(r->schema, path) : NULL;
    unsigned line = 0;
    if (!file)
        return fail(r, "", 0, "a file to generate that is not in the request");
    const char *why = collide(r->schema, file, &line);
    if (why)
        return fail(r, file->name, line, why);
    struct emit e = {.schema = r->schema, .file = file, .places = places_of(r->schema, file)};
    int rc = add_file(r, &e, ".pb-weir.h", emit_header);
    return rc < 0 ? rc : add_file(r, &e, ".pb-weir.c", emit_source);
}

static int generate_all(struct request *r)
{
    struct wire w;
    struct wire_field f;
    int rc = read_request(r);
    for (wire_init(&w, r->bytes.at, r->bytes.len); rc == 0 && wire_next(&w, &f);)
        if (f.number == 1 && f.type == WIRE_BYTES)
            rc = generate(r, f.bytes);
    /* What the arena had no room for was left out. */
    if (rc == 0 && (r->response.cut || r->schema->why[0]))
        rc = fail(r, "", 0, r->schema->why[0] ? r->schema->why : "more code than can be written");
    return rc;
}

/* supported_features 2: FEATURE_PROTO3_OPTIONAL is 1; error 1. */
static int run(struct request *r)
{
    grow_init(&r->response, LIMIT_PLUGIN_BYTES);
    if (weir_schema_new(&r->schema) < 0)
        return -ENOMEM;
    r->schema->arena.max += LIMIT_SCHEMA_SMALL + r->bytes.len * LIMIT_PLUGIN_GROWTH;
    if (generate_all(r) < 0) {
        grow_done(&r->response);
        grow_bytes(&r->response, 1, r->why, strlen(r->why));
    }
    grow_number(&r->response, 2, 1);
    int rc = r->response.cut ? -ENOMEM : write_all(STDOUT_FILENO, r->response.at, r->response.len);
    grow_done(&r->response);
    weir_schema_free(r->schema);
    return rc;
}

int main(int argc, char **argv)
{
    struct grow input;
    struct request r = {.why = ""};
    if (argc > 1) {
        bool version = strcmp(argv[1], "--version") == 0;
        fputs(version ? "protoc-gen-weir " WEIR_VERSION "\n"
                      : "protoc-gen-weir is run by protoc: protoc --weir_out=DIR FILE.proto\n",
              version ? stdout : stderr);
        return version ? 0 : 2;
    }
    grow_init(&input, LIMIT_PLUGIN_BYTES);
    int rc = read_all(STDIN_FILENO, &input);
    if (rc == 0) {
        r.bytes = (struct weir_bytes){input.at, input.len};
        rc = run(&r);
    }
    grow_done(&input);
    if (rc < 0)
        fprintf(stderr, "protoc-gen-weir: %s\n", strerror(-rc));
    return rc < 0;
}
