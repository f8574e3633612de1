#include "load/target.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/fields.h"
#include "stream/tls_name.h"
#include "stream/transport.h"
#include "stream/unix.h"
#include "tbl/limits.h"

#include <weir/stream.h>
#include <weir/tls.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int __attribute__((format(printf, 2, 3))) refuse(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, LOAD_WHY_MAX, format, args);
    va_end(args);
    return -EINVAL;
}

/* --- where --- */

/* A URL in parts; all of them are in its text. */
struct url {
    struct weir_bytes host; /* with its brackets, without the port */
    struct weir_bytes port; /* may be empty */
    struct weir_bytes path; /* with its query; may be empty */
};

/* "http://HOST[:PORT][/PATH]", what stands behind the two slashes. A fragment is never sent (RFC 9110 section 7.1). */
static struct url split_url(const char *rest)
{
    size_t authority = strcspn(rest, "/?#");
    const char *bracket = memchr(rest, ']', authority);
    const char *from = bracket ? bracket : rest;
    const char *colon = memchr(from, ':', authority - (size_t)(from - rest));
    size_t host = colon ? (size_t)(colon - rest) : authority;
    struct url url = {.host = {rest, host}, .port = {rest + host, 0}};
    if (colon)
        url.port = (struct weir_bytes){colon + 1, authority - host - 1};
    url.path = (struct weir_bytes){rest + authority, strcspn(rest + authority, "#")};
    return url;
}

static int set_endpoint(struct load_target *target, const char *name, char *why)
{
    const char *rest;
    if (weir_endpoint_check(name, false, why, LOAD_WHY_MAX) < 0)
        return -EINVAL;
    const struct transport *transport = endpoint_split(name, &rest);
    if (transport != &tcp_transport && transport != &unix_transport)
        return refuse(why, "%s: load is put on tcp:HOST:PORT, tls:HOST:PORT and unix:PATH", name);
    target->endpoint = strdup(name);
    return target->endpoint ? 0 : -ENOMEM;
}

/* "HOST:PORT?WORDS", as behind "tls:". */
static int set_secure(struct load_target *target, const struct load_words *words, const char *rest,
                      char *why)
{
    target->secure = malloc(sizeof(*target->secure));
    if (!target->secure)
        return -ENOMEM;
    const char *wrong = tls_name_read(rest, target->secure);
    if (wrong)
        return refuse(why, "%s: %s", words->where, wrong);
    if (words->ca)
        target->secure->ca = words->ca;
    target->secure->insecure |= words->insecure;
    return 0;
}

static int set_url_endpoint(struct load_target *target, const struct load_words *words,
                            const struct url *url, bool secure, char *why)
{
    char name[LIMIT_ENDPOINT_BYTES];
    struct weir_bytes port = url->port.len > 0 ? url->port : secure ? BYTES("443") : BYTES("80");
    int len = snprintf(name, sizeof(name), "tcp:%.*s:%.*s", (int)url->host.len, url->host.at,
                       (int)port.len, port.at);
    if (len < 0 || (size_t)len >= sizeof(name))
        return refuse(why, "the host's name is too long");
    int rc = secure ? set_secure(target, words, name + strlen("tcp:"), why) : 0;
    return rc < 0 ? rc : set_endpoint(target, words->endpoint ? words->endpoint : name, why);
}

/* --- what --- */

static bool has_control(const char *text)
{
    return field_value_run(text, strlen(text)) < strlen(text);
}

static bool names_host(const char *field)
{
    return strncasecmp(field, "host:", 5) == 0;
}

static int check_field(const char *field, char *why)
{
    size_t name = field_run(field, strlen(field), BYTE_TOKEN);
    if (name == 0 || field[name] != ':' || has_control(field))
        return refuse(why, "'%s' is no field; write 'Name: value'", field);
    enum field_id id = field_id(field, name);
    if (id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING || id == FIELD_CONNECTION)
        return refuse(why, "'%s': length and connection are said by --body and --new", field);
    return 0;
}

static int check_words(const struct load_words *words, struct weir_bytes path, char *why)
{
    const char *method = words->method ? words->method : "GET";
    if (field_run(method, strlen(method), BYTE_TOKEN) < strlen(method) || !*method ||
        strcmp(method, "CONNECT") == 0)
        return refuse(why, "'%s' is no method that can be used here", method);
    if (path.len > 0 && path.at[0] != '/' && path.at[0] != '?')
        return refuse(why, "a path begins with a slash, unlike '%.*s'", (int)path.len, path.at);
    size_t good = field_run(path.at, path.len, BYTE_TARGET);
    if (good < path.len)
        return refuse(why, "a path cannot hold the byte 0x%02x as it is: write %%%02X",
                      (uint8_t)path.at[good], (uint8_t)path.at[good]);
    for (size_t i = 0; i < words->field_count; i++)
        if (check_field(words->fields[i], why) < 0)
            return -EINVAL;
    return 0;
}

/* The whole request, host as the Host field says. */
static void write_request(struct text *t, const struct load_words *words, struct weir_bytes path,
                          struct weir_bytes host)
{
    bool own_host = false;
    for (size_t i = 0; i < words->field_count; i++)
        own_host |= names_host(words->fields[i]);
    text_str(t, words->method ? words->method : "GET");
    text_char(t, ' ');
    if (path.len == 0 || path.at[0] != '/')
        text_char(t, '/');
    text_add(t, path.at, path.len);
    text_str(t, " HTTP/1.1\r\n");
    if (!own_host) {
        text_str(t, "Host: ");
        text_add(t, host.at, host.len);
        text_str(t, "\r\n");
    }
    for (size_t i = 0; i < words->field_count; i++) {
        text_str(t, words->fields[i]);
        text_str(t, "\r\n");
    }
    if (words->close)
        text_str(t, "Connection: close\r\n");
    if (words->body)
        text_fmt(t, "Content-Length: %zu\r\n", strlen(words->body));
    text_str(t, "\r\n");
    text_str(t, words->body ? words->body : "");
}

static int make_request(struct load_target *target, const struct load_words *words,
                        struct weir_bytes path, struct weir_bytes host, char *why)
{
    struct text text;
    int rc = check_words(words, path, why);
    if (rc < 0)
        return rc;
    target->request = malloc(LIMIT_LOAD_REQUEST);
    if (!target->request)
        return -ENOMEM;
    text_init(&text, target->request, LIMIT_LOAD_REQUEST);
    write_request(&text, words, path, host);
    if (text.cut)
        return refuse(why, "the request is longer than %d bytes", LIMIT_LOAD_REQUEST);
    target->request_len = text.len;
    target->head_only = words->method && strcmp(words->method, "HEAD") == 0;
    return 0;
}

/* A block for echo, or a message behind its length. Bytes that tell of any shift. */
static int make_block(struct load_target *target, const struct load_words *words)
{
    size_t head = words->kind == LOAD_FRAME ? 4 : 0;
    target->size = words->size;
    target->request_len = head + words->size;
    target->request = malloc(target->request_len);
    if (!target->request)
        return -ENOMEM;
    for (size_t i = 0; i < head; i++)
        target->request[i] = (char)(words->size >> (8 * (3 - i)));
    for (size_t i = 0; i < words->size; i++)
        target->request[head + i] = (char)(i * 31 + i / 251);
    return 0;
}

/* What the Host field says for an endpoint (RFC 9110 section 7.2). */
static struct weir_bytes host_of(const char *endpoint)
{
    const char *rest;
    const struct transport *transport = endpoint_split(endpoint, &rest);
    return transport == &tcp_transport ? bytes_str(rest) : BYTES("localhost");
}

static int init_url(struct load_target *target, const struct load_words *words, bool secure,
                    char *why)
{
    const char *scheme = secure ? "https://" : "http://";
    struct url url = split_url(words->where + strlen(scheme));
    if (words->kind != LOAD_HTTP)
        return refuse(why, "%s is a URL; for blocks write %s:HOST:PORT", words->where,
                      secure ? "tls" : "tcp");
    if (url.host.len == 0 || memchr(url.host.at, '@', url.host.len))
        return refuse(why, "%s: write %sHOST:PORT/path", words->where, scheme);
    int rc = set_url_endpoint(target, words, &url, secure, why);
    if (rc < 0)
        return rc;
    size_t port = url.port.len > 0 ? url.port.len + 1 : 0;
    struct weir_bytes host = {url.host.at, url.host.len + port};
    return make_request(target, words, words->path ? bytes_str(words->path) : url.path, host, why);
}

int load_target_init(struct load_target *target, const struct load_words *words,
                     char why[LOAD_WHY_MAX])
{
    *target = (struct load_target){.kind = words->kind};
    const char *rest;
    bool tls = endpoint_split(words->where, &rest) == &tls_transport;
    bool https = strncasecmp(words->where, "https://", 8) == 0;
    if (!tls && !https && (words->ca || words->insecure))
        return refuse(why, "--%s is for https:// and tls:HOST:PORT, not for %s",
                      words->ca ? "ca" : "insecure", words->where);
    if (https || strncasecmp(words->where, "http://", 7) == 0)
        return init_url(target, words, https, why);
    if (words->endpoint)
        return refuse(why, "--endpoint goes with a URL; %s says where to connect already",
                      words->where);
    int rc = tls ? set_secure(target, words, rest, why) : 0;
    if (rc == 0)
        rc = set_endpoint(target, tls ? target->secure->under : words->where, why);
    if (rc < 0)
        return rc;
    if (words->kind != LOAD_HTTP)
        return make_block(target, words);
    const char *path = words->path ? words->path : "/";
    return make_request(target, words, bytes_str(path), host_of(target->endpoint), why);
}

static int new_tls(const struct load_target *target, bool explain, struct weir_tls **out, char *why)
{
    const struct tls_name *name = target->secure;
    const struct weir_tls_cert cert = {name->cert, name->key};
    const struct weir_tls_options options = {.certs = &cert,
                                             .cert_count = name->cert ? 1 : 0,
                                             .peer_name = name->name,
                                             .insecure = name->insecure,
                                             .authorities = name->ca,
                                             .alpn = target->kind == LOAD_HTTP ? "http/1.1"
                                                                               : name->alpn,
                                             .explain = explain};
    return weir_tls_new(&options, out, why, LOAD_WHY_MAX);
}

/* Takes `stream`. Shakes hands once; then what all threads use is made. */
static int try_tls(struct load_target *target, struct weir_stream *stream, int timeout_ms,
                   char *why)
{
    struct weir_tls *once;
    int rc = new_tls(target, true, &once, why);
    if (rc < 0) {
        (void)weir_close(stream);
        return rc;
    }
    rc = weir_tls_stream(stream, once, timeout_ms, &stream);
    if (rc == 0)
        (void)weir_close(stream);
    else if (weir_tls_complaint(once)[0])
        snprintf(why, LOAD_WHY_MAX, "%s", weir_tls_complaint(once));
    else
        snprintf(why, LOAD_WHY_MAX, "%s", strerrordesc_np(-rc));
    weir_tls_free(once);
    return rc < 0 ? rc : new_tls(target, false, &target->tls, why);
}

int load_target_find(struct load_target *target, int timeout_ms, char why[LOAD_WHY_MAX])
{
    struct weir_stream *stream;
    const char *rest;
    int rc = weir_open_why(target->endpoint, 0, timeout_ms, &stream, why, LOAD_WHY_MAX);
    if (rc < 0)
        return rc;
    if (endpoint_split(target->endpoint, &rest) == &unix_transport) {
        target->at_len = unix_address(rest, (struct sockaddr_un *)&target->at);
    } else {
        target->at_len = sizeof(target->at);
        if (getpeername(weir_read_fd(stream), (struct sockaddr *)&target->at, &target->at_len) < 0)
            rc = -errno;
    }
    if (rc == 0 && target->secure)
        return try_tls(target, stream, timeout_ms, why);
    if (rc < 0)
        snprintf(why, LOAD_WHY_MAX, "%s", strerrordesc_np(-rc));
    (void)weir_close(stream);
    return rc;
}

void load_target_done(struct load_target *target)
{
    free(target->endpoint);
    free(target->request);
    free(target->secure);
    weir_tls_free(target->tls);
    *target = (struct load_target){0};
}
