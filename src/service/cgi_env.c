/* The environment of a program: the meta-variables of RFC 3875 section 4.1, and a few that all servers have come to give. */
#include "base/bytes.h"
#include "base/text.h"
#include "http/exchange.h"
#include "http/target.h"
#include "service/cgi_talk.h"

#include <weir/conn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENV_MAX (LIMIT_HTTP_FIELDS + 32)

struct env {
    char *at[ENV_MAX + 1]; /* the first: the whole is freed by its address */
    struct text text;
    unsigned count;
    char bytes[LIMIT_CGI_ENV];
};

/* What programs must not see or be fooled by: HTTP_PROXY means something to HTTP libraries; credentials are for the server
 * (section 4.1.18); the length and type have variables of their own; the rest belongs to one connection. */
static const char *const hidden[] = {
    "proxy",
    "authorization",
    "proxy-authorization",
    "content-length",
    "content-type",
    "connection",
    "transfer-encoding",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-connection",
};

static void begin(struct env *env, const char *name)
{
    if (env->count == ENV_MAX) {
        env->text.cut = true;
        return;
    }
    env->at[env->count++] = env->text.at + env->text.len;
    text_str(&env->text, name);
}

static void end(struct env *env)
{
    text_char(&env->text, '\0');
}

static void add(struct env *env, const char *name_equals, struct weir_bytes value)
{
    begin(env, name_equals);
    text_add(&env->text, value.at, value.len);
    end(env);
}

static void add_text(struct env *env, const char *name_equals, const char *value)
{
    add(env, name_equals, bytes_str(value));
}

/* The name of a value in two parts. */
static void add_joined(struct env *env, const char *name_equals, struct weir_bytes a,
                       struct weir_bytes b)
{
    begin(env, name_equals);
    text_add(&env->text, a.at, a.len);
    text_add(&env->text, b.at, b.len);
    end(env);
}

static bool is_hidden(struct weir_bytes name)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (bytes_same(name, bytes_str(hidden[i])))
            return true;
    return false;
}

/* Letters, digits and hyphens only: "a_b" would become the same variable as "a-b", and a client could pretend a field that
 * some proxy in front of us vouches for. */
static bool can_be_named(struct weir_bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return true;
}

static void begin_field(struct env *env, struct weir_bytes name)
{
    begin(env, "HTTP_");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        text_char(&env->text, (char)(c >= 'a' && c <= 'z' ? c - 32 : c == '-' ? '_' : c));
    }
    text_char(&env->text, '=');
}

/* Fields of one name are one variable (section 4.1.18). */
static void add_field(struct env *env, const struct weir_exchange *x, unsigned first,
                      struct weir_bytes name)
{
    const char *comma = bytes_same(name, BYTES("cookie")) ? "; " : ", ";
    struct weir_bytes other, value;
    bool more = false;
    begin_field(env, name);
    for (unsigned at = first; weir_request_next(x, &at, &other, &value);) {
        if (!bytes_same(other, name))
            continue;
        if (more)
            text_str(&env->text, comma);
        text_add(&env->text, value.at, value.len);
        more = true;
    }
    end(env);
}

static bool was_before(const struct weir_exchange *x, unsigned index, struct weir_bytes name)
{
    struct weir_bytes other, value;
    for (unsigned at = 0; at < index && weir_request_next(x, &at, &other, &value);)
        if (bytes_same(other, name))
            return true;
    return false;
}

static void add_fields(struct env *env, const struct weir_exchange *x)
{
    struct weir_bytes name, value;
    for (unsigned at = 0, index = 0; weir_request_next(x, &at, &name, &value); index = at)
        if (can_be_named(name) && !is_hidden(name) && !was_before(x, index, name))
            add_field(env, x, index, name);
}

static const char *method_name(const struct weir_exchange *x)
{
    static const char *const names[] = {"",       "GET",     "HEAD",    "POST",  "PUT",
                                        "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    enum weir_method method = weir_request_method(x);
    return method < sizeof(names) / sizeof(names[0]) ? names[method] : "";
}

/* The colon before the port; an address of version 6 has its own within brackets. */
static size_t host_len(struct weir_bytes host)
{
    size_t n = host.len;
    while (n > 0 && host.at[n - 1] >= '0' && host.at[n - 1] <= '9')
        n--;
    return n > 0 && host.at[n - 1] == ':' ? n - 1 : host.len;
}

/* As the client named it; an HTTP/1.0 client that did not gets the address it came to. The port is the one it came to. */
static void add_server(struct env *env, struct weir_exchange *x)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    struct weir_conn *conn = weir_exchange_conn(x);
    struct weir_bytes host = weir_request_host(x);
    char address[128] = "localhost", number[16] = "80";
    unsigned port = 0;
    size_t len = host_len(host);
    if (conn && driver->ops->local)
        (void)driver->ops->local(driver, conn, address, sizeof(address), &port);
    if (len > 0)
        add(env, "SERVER_NAME=", (struct weir_bytes){host.at, len});
    else
        add_text(env, "SERVER_NAME=", port ? address : "localhost");
    struct text t;
    text_init(&t, number, sizeof(number));
    if (port)
        text_u64(&t, port);
    else if (len + 1 < host.len) /* over a Unix socket the name is all there is */
        text_add(&t, host.at + len + 1, host.len - len - 1);
    else
        text_str(&t, "80");
    add_text(env, "SERVER_PORT=", text_end(&t));
}

static void add_client(struct env *env, struct weir_exchange *x)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    struct weir_conn *conn = weir_exchange_conn(x);
    char address[128] = "";
    unsigned port = 0;
    if (x->client) /* a proxy speaks for him */
        snprintf(address, sizeof(address), "%s", x->client);
    else if (conn && driver->ops->peer)
        (void)driver->ops->peer(driver, conn, address, sizeof(address), &port);
    size_t len = strlen(address);
    struct weir_bytes bare = {address, len};
    if (len > 2 && address[0] == '[' && address[len - 1] == ']')
        bare = (struct weir_bytes){address + 1, len - 2};
    add(env, "REMOTE_ADDR=", bare);
    add(env, "REMOTE_HOST=", bare); /* section 4.1.9: the address may stand for the name */
    if (port == 0)
        return;
    char number[16];
    struct text t;
    text_init(&t, number, sizeof(number));
    text_u64(&t, port);
    add_text(env, "REMOTE_PORT=", text_end(&t));
}

static void add_content(struct env *env, const struct talk *talk)
{
    char number[24];
    struct text t;
    struct weir_bytes type;
    uint64_t len = weir_request_length(talk->x);
    if (talk->spool >= 0)
        len = talk->spool_len;
    if (len == 0 || len == WEIR_LENGTH_UNKNOWN) /* section 4.1.2: only with content */
        return;
    text_init(&t, number, sizeof(number));
    text_u64(&t, len);
    add_text(env, "CONTENT_LENGTH=", text_end(&t));
    if (weir_request_field(talk->x, "content-type", &type))
        add(env, "CONTENT_TYPE=", type);
}

static void add_paths(struct env *env, const struct talk *talk)
{
    const struct cgi *cgi = talk->cgi;
    size_t prefix = cgi->prefix.len, script = talk->program.name_end;
    struct weir_bytes info = {talk->path.at + script, talk->path.len - script};
    add(env, "SCRIPT_NAME=", (struct weir_bytes){talk->path.at, script});
    add_joined(env, "SCRIPT_FILENAME=", bytes_str(cgi->folder_name),
               (struct weir_bytes){talk->path.at + prefix, script - prefix});
    add_text(env, "DOCUMENT_ROOT=", cgi->root_name);
    if (info.len == 0)
        return;
    add(env, "PATH_INFO=", info);
    add_joined(env, "PATH_TRANSLATED=", bytes_str(cgi->root_name), info);
}

static void add_all(struct env *env, struct talk *talk)
{
    struct weir_exchange *x = talk->x;
    add_text(env, "GATEWAY_INTERFACE=", "CGI/1.1");
    add_text(env, "SERVER_SOFTWARE=", "weir/" WEIR_VERSION);
    const char *older = x->minor > 0 ? "HTTP/1.1" : "HTTP/1.0";
    add_text(env, "SERVER_PROTOCOL=", x->h2 ? "HTTP/2.0" : older);
    add_text(env, "REQUEST_METHOD=", method_name(x));
    bool secure =
        x->conn && weir_conn_outer(x->conn); /* TLS is what runs a connection inside another */
    add_text(env, "REQUEST_SCHEME=", secure ? "https" : "http");
    if (secure)
        add_text(env, "HTTPS=", "on");
    add(env, "REQUEST_URI=", weir_request_target(x));
    add(env, "QUERY_STRING=", weir_request_query(x));
    add_text(env, "UNIQUE_ID=", talk->log.id);
    add_text(env, "PATH=", "/usr/local/bin:/usr/bin:/bin");
    add_text(env, "REDIRECT_STATUS=", "200"); /* php-cgi asks for it */
    add_server(env, x);
    add_client(env, x);
    const char *who = x->conn ? weir_conn_who(x->conn) : NULL;
    if (who)
        add_text(env, "SSL_CLIENT_S_DN=", who); /* as others call it */
    if (x->user.len > 0) {
        add_text(env, "AUTH_TYPE=", "Basic");
        add(env, "REMOTE_USER=", x->user);
    }
    add_paths(env, talk);
    add_content(env, talk);
    add_fields(env, x);
}

char **cgi_env(struct talk *talk)
{
    struct env *env = malloc(sizeof(*env));
    if (!env)
        return NULL;
    env->count = 0;
    text_init(&env->text, env->bytes, sizeof(env->bytes));
    add_all(env, talk);
    if (env->text.cut) {
        free(env);
        return NULL;
    }
    env->at[env->count] = NULL;
    return env->at;
}
