#include "base/bytes.h"
#include "base/text.h"
#include "stream/transport.h"
#include "tbl/limits.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

static bool port_can_be(const char *port)
{
    size_t len = strlen(port);
    uint64_t number;
    if (bytes_u64(bytes_str(port), &number) == 0)
        return number <= 65535;
    bool letter = false;
    for (size_t i = 0; i < len; i++) {
        letter |= isalpha((unsigned char)port[i]) != 0;
        if (!isalnum((unsigned char)port[i]) && !strchr("-_.+", port[i]))
            return false;
    }
    return letter;
}

static const char *host_v6_wrong(const char *host)
{
    char bare[INET6_ADDRSTRLEN];
    struct in6_addr ip;
    size_t len = strcspn(host, "%"); /* what follows names an interface: [fe80::1%eth0] */
    if (len >= sizeof(bare))
        return "what is in the brackets is not an IPv6 address";
    memcpy(bare, host, len);
    bare[len] = '\0';
    return inet_pton(AF_INET6, bare, &ip) == 1 ? NULL
                                               : "what is in the brackets is not an IPv6 address";
}

static const char *host_wrong(const char *host, bool for_listening)
{
    struct in_addr ip;
    if (strcmp(host, "*") == 0)
        return for_listening ? NULL : "* (every address) can only be listened on";
    for (const char *c = host; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
            return "the host has a character that no host name has";
    if (strspn(host, "0123456789.") == strlen(host) && inet_pton(AF_INET, host, &ip) != 1)
        return "the host is not an IPv4 address";
    return NULL;
}

static const char *copy_part(char *out, size_t size, const char *at, size_t len)
{
    if (len >= size)
        return "the host or the port is too long";
    memcpy(out, at, len);
    out[len] = '\0';
    return NULL;
}

static const char *split_parts(const char *text, struct host_port *out, bool *out_v6)
{
    const char *host = text;
    const char *colon = strrchr(text, ':');
    size_t host_len = colon ? (size_t)(colon - text) : strlen(text);
    *out_v6 = text[0] == '[';
    if (*out_v6) {
        const char *end = strchr(text, ']');
        if (!end)
            return "the bracket of the IPv6 address is not closed";
        host = text + 1;
        host_len = (size_t)(end - host);
        colon = end[1] == ':' ? end + 1 : NULL;
    } else if (colon && memchr(text, ':', host_len)) {
        return "an IPv6 address needs brackets, as in [::1]:7000";
    }
    if (!colon || !colon[1])
        return "the port is missing";
    if (host_len == 0 && !*out_v6)
        return "the host is missing";
    const char *wrong = copy_part(out->host, sizeof(out->host), host, host_len);
    return wrong ? wrong : copy_part(out->port, sizeof(out->port), colon + 1, strlen(colon + 1));
}

const char *host_port_split(const char *text, bool for_listening, struct host_port *out)
{
    _Static_assert(sizeof(out->host) == LIMIT_HOST_BYTES + 1, "the limit and its NUL");
    _Static_assert(sizeof(out->port) == LIMIT_SERVICE_BYTES + 1, "the limit and its NUL");
    bool v6;
    const char *wrong = split_parts(text, out, &v6);
    if (!wrong)
        wrong = v6 ? host_v6_wrong(out->host) : host_wrong(out->host, for_listening);
    if (wrong)
        return wrong;
    if (!port_can_be(out->port))
        return "the port is not a number up to 65535 or the name of a service";
    if (!for_listening && strspn(out->port, "0") == strlen(out->port))
        return "port 0 (any free one) can only be listened on";
    return NULL;
}

const struct transport *endpoint_split(const char *name, const char **out_rest)
{
    if (strcmp(name, "-") == 0) {
        *out_rest = "";
        return &standard_transport;
    }
    size_t len = strcspn(name, ":");
    if (name[len] != ':')
        return NULL;
    for (size_t i = 0; transport_get(i); i++) {
        const struct transport *t = transport_get(i);
        if (strlen(t->scheme) != len || memcmp(t->scheme, name, len) != 0)
            continue;
        const char *rest = name + len + 1;
        *out_rest = strncmp(rest, "//", 2) == 0 ? rest + 2 : rest;
        return t;
    }
    *out_rest = name;
    /* HOST:PORT. A name with more colons, or with a slash behind the first one, has a scheme we do not know. */
    bool host_port = name[0] == '[' || (!strchr(name + len + 1, ':') && !strchr(name, '/'));
    return host_port ? &tcp_transport : NULL;
}

/* A clause that says what is wrong, or NULL. *out_row is NULL when the kind is not known. */
static const char *endpoint_wrong(const char *name, bool for_listening,
                                  const struct transport **out_row, const char **out_rest)
{
    *out_row = NULL;
    if (strnlen(name, LIMIT_ENDPOINT_BYTES + 1) > LIMIT_ENDPOINT_BYTES)
        return "the name is too long";
    if (!name[0])
        return "the name is empty";
    *out_row = endpoint_split(name, out_rest);
    if (!*out_row)
        return strchr(name, ':') ? "no such kind of endpoint" : "the name has no kind (KIND:REST)";
    if (for_listening && !(*out_row)->listen)
        return "nobody can be waited for there";
    return (*out_row)->check(*out_rest, for_listening);
}

int endpoint_parse(const char *name, bool for_listening, const struct transport **out,
                   const char **out_rest)
{
    return endpoint_wrong(name, for_listening, out, out_rest) ? -EINVAL : 0;
}

/* The name on one line: what is not printable becomes '?', what is long is cut. */
static void add_quoted(struct text *t, const char *name)
{
    text_char(t, '"');
    for (size_t i = 0; name[i]; i++) {
        if (i == 100) {
            text_str(t, "...");
            break;
        }
        unsigned char c = (unsigned char)name[i];
        text_char(t, c < ' ' || c == 0x7f ? '?' : name[i]);
    }
    text_char(t, '"');
}

static void add_examples(struct text *t, bool for_listening)
{
    const char *before = "";
    for (size_t i = 0; transport_get(i); i++) {
        const struct transport *row = transport_get(i);
        if (for_listening && !row->listen)
            continue;
        text_str(t, before);
        text_str(t, row->example);
        before = ", ";
    }
}

WEIR_API int weir_endpoint_check(const char *endpoint, bool for_listening, char *why,
                                 size_t why_size)
{
    const struct transport *row;
    const char *rest;
    const char *wrong = endpoint_wrong(endpoint, for_listening, &row, &rest);
    if (!wrong)
        return 0;
    struct text t;
    text_init(&t, why, why_size);
    add_quoted(&t, endpoint);
    text_str(&t, ": ");
    text_str(&t, wrong);
    if (row && (row->listen || !for_listening)) {
        text_str(&t, "; write ");
        text_str(&t, row->form);
        text_str(&t, ", for example ");
        text_str(&t, row->example);
    } else {
        text_str(&t, "; write for example ");
        add_examples(&t, for_listening);
    }
    text_end(&t);
    return -EINVAL;
}
