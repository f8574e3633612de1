/* Types for weir call: from a file that protoc wrote, or by server reflection (grpc/reflection/v1/reflection.proto says what the
 * numbers of fields mean; v1alpha has the same). */
#include "cli/call.h"
#include "cli/commands.h"
#include "message/wire.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ServerReflectionRequest */
enum { ASK_FILE = 3, ASK_SYMBOL = 4, ASK_SERVICES = 7 };

struct reflection {
    struct call *call;
    struct weir_rpc_call *rpc;
    unsigned asked;
};

static int grumble(struct call *call, const char *what)
{
    complain(&command_call, "%s: %s", call->endpoint, what);
    return CALL_FAILED;
}

/* --- a file --- */

static int read_file(const char *path, char **out, size_t *out_len)
{
    FILE *file = fopen(path, "rbe");
    char *bytes = malloc(LIMIT_SCHEMA_BYTES + 1);
    int rc = file && bytes ? 0 : file ? -ENOMEM : -errno;
    if (rc == 0) {
        *out_len = fread(bytes, 1, LIMIT_SCHEMA_BYTES + 1, file);
        rc = ferror(file) ? -EIO : *out_len > LIMIT_SCHEMA_BYTES ? -EFBIG : 0;
    }
    if (file)
        fclose(file);
    if (rc < 0)
        free(bytes);
    else
        *out = bytes;
    return rc;
}

static int types_from_file(struct call *call, const char *path)
{
    char *bytes = NULL, why[512] = "";
    size_t len = 0;
    int rc = read_file(path, &bytes, &len);
    if (rc < 0) {
        complain(&command_call, "cannot read %s: %s", path, strerrordesc_np(-rc));
        return CALL_FAILED;
    }
    rc = weir_schema_add_set(call->schema, bytes, len, why, sizeof(why));
    free(bytes);
    const char *missing = rc < 0 ? NULL : weir_schema_missing(call->schema);
    if (missing) {
        complain(&command_call, "%s: %s is imported and not in it; protoc wants --include_imports",
                 path, missing);
        return CALL_FAILED;
    }
    if (rc == 0)
        rc = weir_schema_link(call->schema, why, sizeof(why));
    if (rc < 0)
        complain(&command_call, "%s: %s", path, why);
    return rc < 0 ? CALL_FAILED : 0;
}

/* --- reflection --- */

static int begin(struct reflection *r, const char *version)
{
    static const char form[] = "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo";
    char path[128];
    snprintf(path, sizeof(path), form, version);
    const struct weir_rpc_method method = {
        .path = path, .client_streaming = true, .server_streaming = true};
    const struct weir_rpc_call_options options = {.metadata = r->call->metadata,
                                                  .metadata_count = r->call->metadata_count,
                                                  .timeout_ms = LIMIT_CALL_REFLECTION_MS};
    int rc = weir_rpc_begin(r->call->channel, &method, &options, NULL, NULL, &r->rpc);
    if (rc == -EINVAL)
        return call_bad_metadata();
    return rc < 0 ? grumble(r->call, strerrordesc_np(-rc)) : 0;
}

/* One question and its answer; lent until the next. 1; 0: the call has ended instead; < 0. */
static int ask(struct reflection *r, unsigned what, const char *name, struct weir_bytes *out)
{
    struct grow question;
    if (++r->asked > LIMIT_SCHEMA_FILES)
        return -EMSGSIZE;
    grow_init(&question, 64 * 1024);
    grow_bytes(&question, what, name, strlen(name));
    int rc = question.cut ? -EMSGSIZE : weir_rpc_send_bytes(r->rpc, question.at, question.len);
    grow_done(&question);
    if (rc < 0 && rc != -EPIPE)
        return rc;
    return weir_rpc_receive_bytes(r->rpc, LIMIT_CALL_REFLECTION_MS, out);
}

static int ended(struct reflection *r)
{
    const struct weir_rpc_status *status = NULL;
    int code = weir_rpc_finish(r->rpc, LIMIT_CALL_REFLECTION_MS, &status);
    if (code < 0 || !status)
        return grumble(r->call, "the server does not answer what it can do");
    if (status->code == WEIR_RPC_UNIMPLEMENTED)
        return grumble(r->call,
                       "the server does not say what it can do (no reflection); give its types by "
                       "--proto-set FILE, made by protoc --include_imports -o FILE");
    return call_status(r->call, "reflection", status);
}

/* ServerReflectionResponse: file_descriptor_response 4, list_services_response 6, error_response 7. */
static bool part_of(struct weir_bytes answer, unsigned number, struct weir_bytes *out)
{
    struct wire w;
    struct wire_field f;
    bool found = false;
    for (wire_init(&w, answer.at, answer.len); wire_next(&w, &f);)
        if (f.number == number && f.type == WIRE_BYTES) {
            *out = f.bytes;
            found = true;
        }
    return found && !w.bad;
}

/* ErrorResponse: error_message 2. */
static int refused(struct reflection *r, struct weir_bytes answer, const char *name)
{
    struct weir_bytes error, text = {"it gave no reason", 17};
    struct wire w;
    struct wire_field f;
    if (!part_of(answer, 7, &error))
        return grumble(r->call, "the server's reflection says something else than was asked");
    for (wire_init(&w, error.at, error.len); wire_next(&w, &f);)
        if (f.number == 2 && f.type == WIRE_BYTES && f.bytes.len > 0)
            text = f.bytes;
    complain(&command_call, "%s: the server does not know %s: %.*s", r->call->endpoint, name,
             (int)(text.len < 300 ? text.len : 300), text.at);
    return CALL_STATUS + WEIR_RPC_NOT_FOUND;
}

/* FileDescriptorResponse: file_descriptor_proto 1. */
static int add_files(struct reflection *r, struct weir_bytes answer, const char *name)
{
    struct weir_bytes files;
    struct wire w;
    struct wire_field f;
    char why[512] = "";
    int rc = 0;
    if (!part_of(answer, 4, &files))
        return refused(r, answer, name);
    for (wire_init(&w, files.at, files.len); rc == 0 && wire_next(&w, &f);)
        if (f.number == 1 && f.type == WIRE_BYTES)
            rc = weir_schema_add_file(r->call->schema, f.bytes.at, f.bytes.len, why, sizeof(why));
    return rc < 0 ? grumble(r->call, why) : 0;
}

static int ask_files(struct reflection *r, unsigned what, const char *name)
{
    struct weir_bytes answer;
    int rc = ask(r, what, name, &answer);
    if (rc == 1)
        return add_files(r, answer, name);
    return rc == 0 ? ended(r) : grumble(r->call, strerrordesc_np(-rc));
}

static int ask_all(struct reflection *r, const char *symbol)
{
    char why[512] = "", before[1100] = "";
    const char *missing;
    int status = ask_files(r, ASK_SYMBOL, symbol);
    while (status == 0 && (missing = weir_schema_missing(r->call->schema))) {
        if (strcmp(missing, before) == 0)
            return grumble(r->call, "the server gives another file than the one it was asked for");
        snprintf(before, sizeof(before), "%s", missing);
        status = ask_files(r, ASK_FILE, before);
    }
    if (status == 0 && weir_schema_link(r->call->schema, why, sizeof(why)) < 0)
        status = grumble(r->call, why);
    return status;
}

/* v1 where the server has it, else v1alpha, which older ones have: the first question shows it. */
static int open_reflection(struct reflection *r)
{
    const struct weir_rpc_status *status = NULL;
    struct weir_bytes answer;
    int failed = begin(r, "v1");
    if (failed)
        return failed;
    int rc = ask(r, ASK_SERVICES, "*", &answer);
    if (rc != 0)
        return rc == 1 ? 0 : grumble(r->call, strerrordesc_np(-rc));
    int code = weir_rpc_finish(r->rpc, LIMIT_CALL_REFLECTION_MS, &status);
    if (code < 0 || !status || status->code != WEIR_RPC_UNIMPLEMENTED)
        return ended(r);
    weir_rpc_free(r->rpc);
    r->rpc = NULL;
    return begin(r, "v1alpha");
}

int call_types(struct call *call, const char *name)
{
    struct reflection r = {.call = call};
    if (weir_schema_new(&call->schema) < 0)
        return grumble(call, "no memory");
    if (call->values->proto_set)
        return types_from_file(call, call->values->proto_set);
    /* Of a method its service is asked for. */
    char symbol[600];
    snprintf(symbol, sizeof(symbol), "%.*s", (int)strcspn(name, "/"), name);
    int status = open_reflection(&r);
    if (status == 0)
        status = ask_all(&r, symbol);
    weir_rpc_free(r.rpc);
    return status;
}

/* ListServiceResponse: service 1; ServiceResponse: name 1. */
static int print_services(struct reflection *r, struct weir_bytes answer)
{
    struct weir_bytes list, name;
    struct wire w;
    struct wire_field f;
    if (!part_of(answer, 6, &list))
        return refused(r, answer, "its services");
    for (wire_init(&w, list.at, list.len); wire_next(&w, &f);) {
        if (f.number != 1 || f.type != WIRE_BYTES || !part_of(f.bytes, 1, &name))
            continue;
        for (size_t i = 0; i < name.len; i++)
            putchar((unsigned char)name.at[i] < ' ' || name.at[i] == 0x7f ? '?' : name.at[i]);
        putchar('\n');
    }
    return 0;
}

int call_list(struct call *call)
{
    struct reflection r = {.call = call};
    struct weir_bytes answer;
    if (call->values->proto_set) {
        int failed = call_types(call, "");
        for (size_t i = 0; !failed && weir_schema_service(call->schema, i); i++)
            puts(weir_schema_service(call->schema, i)->name);
        return failed;
    }
    int status = open_reflection(&r);
    if (status == 0) {
        int rc = ask(&r, ASK_SERVICES, "*", &answer);
        status = rc == 1   ? print_services(&r, answer)
                 : rc == 0 ? ended(&r)
                           : grumble(call, strerrordesc_np(-rc));
    }
    weir_rpc_free(r.rpc);
    return status;
}
