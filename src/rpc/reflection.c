/* grpc.reflection.v1 and v1alpha: what services there are, and the files that declare them. Both have the same messages. */
#include "base/bytes.h"
#include "rpc/file_symbols.h"
#include "rpc/server.h"
#include "rpc/service_files.h"
#include "rpc/tiny.h"

#include <stdlib.h>

/* Fields of ServerReflectionRequest and -Response. */
enum {
    ASK_HOST = 1,
    ASK_FILE = 3,
    ASK_SYMBOL = 4,
    ASK_EXTENSION = 5,
    ASK_EXTENSIONS = 6,
    ASK_SERVICES = 7,
    SAY_HOST = 1,
    SAY_REQUEST = 2,
    SAY_FILES = 4,
    SAY_SERVICES = 6,
    SAY_ERROR = 7,
};

/* Files that were found so far. */
struct found {
    const struct weir_rpc_file *files[LIMIT_RPC_FILES];
    unsigned count;
};

static bool is_in(const struct found *found, const struct weir_rpc_file *file)
{
    for (unsigned i = 0; i < found->count; i++)
        if (found->files[i] == file)
            return true;
    return false;
}

/* A file and all it imports, the file first. */
static void add_file(struct found *found, const struct weir_rpc_file *file)
{
    unsigned next = found->count;
    if (is_in(found, file) || found->count == LIMIT_RPC_FILES)
        return;
    found->files[found->count++] = file;
    for (; next < found->count; next++)
        for (size_t i = 0; i < found->files[next]->import_count; i++) {
            const struct weir_rpc_file *import = found->files[next]->imports[i];
            if (!is_in(found, import) && found->count < LIMIT_RPC_FILES)
                found->files[found->count++] = import;
        }
}

/* All that the services of this server need. */
static void add_all(struct found *found, const struct weir_rpc_server *server)
{
    for (unsigned i = 0; i < server->count; i++)
        if (server->served[i].given.service->file)
            add_file(found, server->served[i].given.service->file);
}

static void say_files(struct tiny *answer, const struct weir_rpc_file *file)
{
    struct found found = {.count = 0};
    struct tiny files = {0};
    add_file(&found, file);
    for (unsigned i = 0; i < found.count; i++)
        tiny_bytes(&files, 1, found.files[i]->bytes, found.files[i]->len);
    tiny_bytes(answer, SAY_FILES, files.at, files.len);
    answer->failed |= files.failed;
    free(files.at);
}

static void say_error(struct tiny *answer, int code, const char *message)
{
    struct tiny error = {0};
    tiny_number(&error, 1, (uint64_t)code);
    tiny_text(&error, 2, message);
    tiny_bytes(answer, SAY_ERROR, error.at, error.len);
    answer->failed |= error.failed;
    free(error.at);
}

static void say_services(struct tiny *answer, const struct weir_rpc_server *server)
{
    struct tiny list = {0}, one = {0};
    for (unsigned i = 0; i < server->count; i++) {
        one.len = 0;
        tiny_text(&one, 1, server->served[i].given.service->name);
        tiny_bytes(&list, 1, one.at, one.len);
    }
    tiny_bytes(answer, SAY_SERVICES, list.at, list.len);
    answer->failed |= list.failed || one.failed;
    free(list.at);
    free(one.at);
}

static const struct weir_rpc_file *find_file(const struct found *found, struct weir_bytes name,
                                             bool by_symbol)
{
    for (unsigned i = 0; i < found->count; i++)
        if (by_symbol ? file_has_symbol(found->files[i], name)
                      : bytes_equal(bytes_str(found->files[i]->name), name))
            return found->files[i];
    return NULL;
}

static void answer_to(struct tiny *answer, const struct weir_rpc_server *server,
                      const struct tiny_field *question)
{
    struct found all = {.count = 0};
    const struct weir_rpc_file *file;
    switch (question->number) {
    case ASK_SERVICES:
        say_services(answer, server);
        return;
    case ASK_FILE:
    case ASK_SYMBOL:
        add_all(&all, server);
        file = question->bytes.len <= LIMIT_RPC_SYMBOL
                   ? find_file(&all, question->bytes, question->number == ASK_SYMBOL)
                   : NULL;
        if (file)
            say_files(answer, file);
        else
            say_error(answer, WEIR_RPC_NOT_FOUND, "not known here");
        return;
    case ASK_EXTENSION:
    case ASK_EXTENSIONS: /* of proto2; none of our files is searched for them */
        say_error(answer, WEIR_RPC_NOT_FOUND, "extensions are not looked up");
        return;
    default:
        say_error(answer, WEIR_RPC_INVALID_ARGUMENT, "not a question this server knows");
    }
}

static void fail(struct weir_rpc_context *c, int code, const char *message)
{
    (void)weir_rpc_fail(c, code, message, (struct weir_bytes){0});
    weir_rpc_done(c);
}

static void on_question(struct weir_rpc_context *c, void *arg, struct weir_bytes request)
{
    struct weir_bytes left = request, host = {"", 0};
    struct tiny_field field, question = {0};
    struct tiny answer = {0};
    (void)arg;
    while (tiny_next(&left, &field)) {
        if (field.number == ASK_HOST && field.bytes.at)
            host = field.bytes;
        else if (field.bytes.at)
            question = field;
    }
    if (request.len > 0 && !left.at) {
        fail(c, WEIR_RPC_INVALID_ARGUMENT, "the question cannot be read");
        return;
    }
    tiny_bytes(&answer, SAY_HOST, host.at, host.len);
    tiny_bytes(&answer, SAY_REQUEST, request.at, request.len);
    answer_to(&answer, c->served->server, &question);
    if (answer.failed || weir_rpc_write_bytes(c, answer.at, answer.len) < 0)
        fail(c, WEIR_RPC_RESOURCE_EXHAUSTED, "no memory");
    free(answer.at);
}

static void on_ended(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    weir_rpc_done(c);
}

const struct weir_rpc_reactor reflection_reactor = {
    .bytes = on_question, .ended = on_ended, .leave = on_ended};

static const struct weir_rpc_method v1_methods[] = {
    {.path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
     .client_streaming = true,
     .server_streaming = true},
};
static const struct weir_rpc_method v1alpha_methods[] = {
    {.path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
     .client_streaming = true,
     .server_streaming = true},
};

const struct weir_rpc_service reflection_v1_service = {
    .name = "grpc.reflection.v1.ServerReflection",
    .methods = v1_methods,
    .method_count = 1,
    .file = &reflection_v1_file,
};
const struct weir_rpc_service reflection_v1alpha_service = {
    .name = "grpc.reflection.v1alpha.ServerReflection",
    .methods = v1alpha_methods,
    .method_count = 1,
    .file = &reflection_v1alpha_file,
};
