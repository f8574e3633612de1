/* weir call E package.Service/Method JSON: a client for any gRPC server. */
#include "cli/call.h"

#include "cli/commands.h"
#include "message/json.h"
#include "message/schema_text.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* http://HOST:PORT/ and https:// as people copy them; HOST:PORT. Into `out`; -EINVAL: it has a path, or is too long. */
static int endpoint_name(const char *given, char *out, size_t size)
{
    bool plain = strncmp(given, "http://", 7) == 0, secure = strncmp(given, "https://", 8) == 0;
    const char *rest = given + (plain ? 7 : secure ? 8 : 0);
    size_t len = strcspn(rest, "/");
    if (!plain && !secure) {
        snprintf(out, size, "%s", given);
        return strlen(given) < size ? 0 : -EINVAL;
    }
    const char *bracket = memchr(rest, ']', len), *host_end = bracket ? bracket : rest;
    bool port = memchr(host_end, ':', len - (size_t)(host_end - rest)) != NULL;
    if (rest[len] == '/' && rest[len + 1])
        return -EINVAL;
    int n = snprintf(out, size, "%s%.*s%s", plain ? "tcp:" : "tls:", (int)len, rest,
                     port    ? ""
                     : plain ? ":80"
                             : ":443");
    return n > 0 && (size_t)n < size ? 0 : -EINVAL;
}

/* "name: value"; of names that end in -bin the value is base64. */
static int add_header(struct call *call, const char *text)
{
    const char *colon = strchr(text, ':'), *value = colon;
    if (!colon || colon == text)
        return usage_error(&command_call, "'%s' is no metadata; as in: -H 'x-user: me'", text);
    for (value++; *value == ' ' || *value == '\t'; value++)
        continue;
    char *name = strndup(text, (size_t)(colon - text));
    struct weir_rpc_entry *entry = &call->metadata[call->metadata_count++];
    *entry = (struct weir_rpc_entry){name, {value, strlen(value)}};
    if (!name)
        return CALL_FAILED;
    for (char *at = name; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 32); /* HTTP/2 has no others */
    size_t len = strlen(name);
    if (len < 4 || strcmp(name + len - 4, "-bin") != 0)
        return 0;
    uint8_t *bytes = malloc(entry->value.len / 4 * 3 + 3);
    ssize_t n = bytes ? json_base64_read(entry->value, bytes) : -ENOMEM;
    if (n < 0) {
        free(bytes);
        entry->value = (struct weir_bytes){"", 0};
        return usage_error(&command_call, "'%s': names that end in -bin want base64", text);
    }
    entry->value = (struct weir_bytes){(char *)bytes, (size_t)n};
    return 0;
}

int call_bad_metadata(void)
{
    return usage_error(&command_call, "a name or a value of -H is none that gRPC takes");
}

static void metadata_done(struct call *call)
{
    for (size_t i = 0; i < call->metadata_count; i++) {
        struct weir_rpc_entry *entry = &call->metadata[i];
        size_t len = entry->name ? strlen(entry->name) : 0;
        if (len >= 4 && strcmp(entry->name + len - 4, "-bin") == 0 && entry->value.len > 0)
            free((void *)entry->value.at);
        free((void *)entry->name);
    }
}

/* gRPC is HTTP/2, which TLS has to agree upon. */
static int with_alpn(const char *name, char *out, size_t size)
{
    bool secure = strncmp(name, "tls:", 4) == 0 && !strstr(name, "alpn=");
    int n = snprintf(out, size, "%s%s", name,
                     !secure             ? ""
                     : strchr(name, '?') ? "&alpn=h2"
                                         : "?alpn=h2");
    return n > 0 && (size_t)n < size ? 0 : -EINVAL;
}

/* As :authority: the host and port of tcp: and tls:, else "localhost". */
static void authority_of(const char *name, char *out, size_t size)
{
    bool host = strncmp(name, "tcp:", 4) == 0 || strncmp(name, "tls:", 4) == 0;
    const char *rest = strchr(name, ':');
    bool bare =
        !host && rest && rest[1] != '/' && strspn(rest + 1, "0123456789") == strlen(rest + 1);
    rest = host ? rest + 1 : name;
    rest += strncmp(rest, "//", 2) == 0 ? 2 : 0;
    snprintf(out, size, "%.*s", (int)strcspn(rest, "?"), host || bare ? rest : "localhost");
}

static int open_channel(struct call *call, const char *name)
{
    char authority[TLS_CLIENT_NAME_MAX], why[512] = "";
    struct weir_stream *stream;
    authority_of(name, authority, sizeof(authority));
    int rc = weir_open_why(name, WEIR_READ | WEIR_WRITE, (int)call->values->connect_s * 1000,
                           &stream, why, sizeof(why));
    if (rc < 0) {
        complain(&command_call, "cannot open %s: %s", call->endpoint, why);
        return CALL_FAILED;
    }
    const struct weir_rpc_options options = {
        .gzip = call->values->gzip,
        .receive_max = LIMIT_CALL_MESSAGE,
        .authority = call->values->authority ? call->values->authority : authority,
    };
    rc = weir_rpc_over(stream, &options, &call->channel);
    if (rc == 0)
        return 0;
    complain(&command_call, "%s: %s; is it a gRPC server%s?", call->endpoint, strerrordesc_np(-rc),
             strncmp(name, "tls:", 4) == 0 ? "" : ", and does it want https://");
    return CALL_FAILED;
}

static int connect_to(struct call *call)
{
    char name[TLS_CLIENT_NAME_MAX], with[TLS_CLIENT_NAME_MAX], last[TLS_CLIENT_NAME_MAX];
    char why[512] = "the name is too long";
    const char *full = name;
    if (endpoint_name(call->endpoint, name, sizeof(name)) < 0)
        return usage_error(&command_call,
                           "'%s' has a path, or is too long; a server is http://HOST:PORT",
                           call->endpoint);
    int status = tls_client_name(&command_call, &call->values->tls, name, with, &full);
    if (status)
        return status;
    if (with_alpn(full, last, sizeof(last)) < 0 ||
        weir_endpoint_check(last, false, why, sizeof(why)) < 0)
        return usage_error(&command_call, "%s", why);
    tls_client_warn(&command_call, &call->values->tls);
    return open_channel(call, last);
}

/* --- what there is --- */

static int list_methods(struct call *call, const char *name)
{
    int status = call_types(call, name);
    if (status)
        return status;
    for (size_t i = 0; weir_schema_service(call->schema, i); i++) {
        const struct weir_rpc_service *s = weir_schema_service(call->schema, i);
        if (strcmp(s->name, name) != 0)
            continue;
        for (unsigned j = 0; j < s->method_count; j++)
            puts(s->methods[j].path + 1);
        return 0;
    }
    const char *like = schema_like(call->schema, name);
    complain(&command_call, "%s: no service is called that%s%s%s", name,
             *like ? "; did you mean '" : "", like, *like ? "'?" : "");
    return CALL_FAILED;
}

static int describe(struct call *call, const char *name)
{
    struct grow text;
    int status = call_types(call, name);
    if (status)
        return status;
    grow_init(&text, LIMIT_JSON_BYTES);
    if (schema_describe(call->schema, name, &text) && text.at) {
        fputs(text.at, stdout);
    } else {
        const char *like = schema_like(call->schema, name);
        complain(&command_call, "%s: nothing is called that%s%s%s", name,
                 *like ? "; did you mean '" : "", like, *like ? "'?" : "");
        status = CALL_FAILED;
    }
    grow_done(&text);
    return status;
}

/* --- a call --- */

/* "package.Service/Method", also with a slash before it or a dot instead: as a path. */
static int path_of(const char *given, char *out, size_t size)
{
    const char *name = given + (*given == '/'), *slash = strchr(name, '/');
    const char *end = slash ? slash : strrchr(name, '.');
    if (!end || end == name || !end[1] || strchr(end + 1, '/') || strlen(name) + 2 > size)
        return -EINVAL;
    snprintf(out, size, "/%.*s/%s", (int)(end - name), name, end + 1);
    return 0;
}

static int no_method(struct call *call, const char *path)
{
    struct grow known;
    size_t service = strcspn(path + 1, "/");
    grow_init(&known, 512);
    for (size_t i = 0; weir_schema_service(call->schema, i); i++) {
        const struct weir_rpc_service *s = weir_schema_service(call->schema, i);
        if (strlen(s->name) != service || memcmp(s->name, path + 1, service) != 0)
            continue;
        for (unsigned j = 0; j < s->method_count; j++) {
            grow_str(&known, j ? ", " : "; it has ");
            grow_str(&known, s->methods[j].path + service + 2);
        }
    }
    complain(&command_call, "%.*s has no method '%s'%s", (int)service, path + 1, path + service + 2,
             known.at ? known.at : "");
    grow_done(&known);
    return CALL_FAILED;
}

static int call_method(struct call *call, const char *given, char **texts, int count)
{
    char path[600], service[600];
    if (path_of(given, path, sizeof(path)) < 0)
        return usage_error(&command_call, "'%s' is no method; as in: package.Service/Method",
                           given);
    snprintf(service, sizeof(service), "%.*s", (int)strcspn(path + 1, "/"), path + 1);
    int status = call_types(call, service);
    if (status)
        return status;
    const struct weir_rpc_method *method = weir_schema_method(call->schema, path);
    if (!method)
        return no_method(call, path);
    if (!method->client_streaming && count > 1)
        return usage_error(&command_call, "%s takes one message, not %d", path + 1, count);
    return call_talk(call, method, texts, count);
}

static int run_with(struct call *call, int argc, char **argv)
{
    bool list = strcmp(argv[1], "list") == 0, about = strcmp(argv[1], "describe") == 0;
    for (size_t i = 0; i < call->values->headers.count; i++) {
        int status = add_header(call, call->values->headers.at[i]);
        if (status)
            return status;
    }
    if ((list && argc > 3) || (about && argc != 3))
        return usage_error(&command_call, list ? "list takes the name of one service, or none"
                                               : "describe takes one name");
    /* What is in the file can be looked at without the server. */
    int status = (list || about) && call->values->proto_set ? 0 : connect_to(call);
    if (status)
        return status;
    if (list)
        return argc == 3 ? list_methods(call, argv[2]) : call_list(call);
    return about ? describe(call, argv[2]) : call_method(call, argv[1], argv + 2, argc - 2);
}

static int run(void *values, int argc, char **argv)
{
    struct call call = {.values = values};
    if (argc < 2)
        return usage_error(&command_call,
                           "needs a server and a method, as in: weir call tcp:127.0.0.1:50051 "
                           "package.Service/Method '{}'");
    call.endpoint = argv[0];
    int status = run_with(&call, argc, argv);
    weir_schema_free(call.schema);
    (void)weir_rpc_close(call.channel);
    metadata_done(&call);
    return status;
}

static void defaults(void *values)
{
    struct call_values *v = values;
    v->connect_s = 10;
}

#define AT(member) offsetof(struct call_values, member)

static const struct option_row options[] = {
    {"header", 'H', OPTION_LIST, "NAME: VALUE",
     "metadata of the call; base64 where the name ends in -bin", AT(headers), 0, 0, OPTION_COMMAND,
     false},
    {"proto-set", 'p', OPTION_TEXT, "FILE",
     "types from protoc --include_imports -o FILE, not from the server", AT(proto_set), 0, 0,
     OPTION_COMMAND, false},
    {"timeout", 't', OPTION_COUNT, "SECONDS", "the call's deadline; 0: none (0)", AT(timeout_s), 0,
     86400, OPTION_COMMAND, false},
    {"connect", 'c', OPTION_COUNT, "SECONDS", "how long connecting may take (10)", AT(connect_s), 1,
     3600, OPTION_COMMAND, false},
    {"pretty", 0, OPTION_FLAG, NULL, "answers over several lines", AT(pretty), 0, 0, OPTION_COMMAND,
     false},
    {"original-names", 0, OPTION_FLAG, NULL, "names of fields as in the .proto file",
     AT(original_names), 0, 0, OPTION_COMMAND, false},
    {"defaults", 0, OPTION_FLAG, NULL, "also fields that are not set", AT(defaults), 0, 0,
     OPTION_COMMAND, false},
    {"ignore-unknown", 0, OPTION_FLAG, NULL, "leave out names that the message does not have",
     AT(ignore_unknown), 0, 0, OPTION_COMMAND, false},
    {"gzip", 0, OPTION_FLAG, NULL, "compress what is sent", AT(gzip), 0, 0, OPTION_COMMAND, false},
    {"authority", 0, OPTION_TEXT, "NAME", "the server's name, where it is not the endpoint's",
     AT(authority), 0, 0, OPTION_COMMAND, false},
    TLS_TRUST_OPTION_ROWS(call_values, tls),
    TLS_SHOW_OPTION_ROWS(call_values, tls),
    {"verbose", 'v', OPTION_FLAG, NULL, "show the server's metadata on standard error", AT(verbose),
     0, 0, OPTION_COMMAND, false},
};

const struct command command_call = {
    .name = "call",
    .synopsis = "[options] ENDPOINT SERVICE/METHOD [JSON ...|-]\n"
                "       weir call [options] ENDPOINT list [SERVICE]\n"
                "       weir call [options] ENDPOINT describe NAME",
    .summary = "call any gRPC server, with messages in JSON",
    .examples =
        "weir call tcp:127.0.0.1:50051 list\n"
        "weir call http://127.0.0.1:50051 describe my.Greeter\n"
        "weir call unix:/run/app.sock my.Greeter/SayHello '{\"name\": \"weir\"}'\n"
        "weir call --proto-set rpc.set 127.0.0.1:2379 etcdserverpb.KV/Put '{\"key\": \"Zm9v\"}'\n"
        "producer | weir call 127.0.0.1:50051 my.Store/Upload -\n",
    .exits =
        "0    the server said OK\n"
        "1    it could not be reached, or what came or was to be sent is no message\n"
        "2    wrong usage\n"
        "10+N the server's status N: 13 INVALID_ARGUMENT, 15 NOT_FOUND, 22 UNIMPLEMENTED, 24 UNAVAILABLE ...\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .values_size = sizeof(struct call_values),
    .defaults = defaults,
    .run = run,
};
