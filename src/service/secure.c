#include "service/secure.h"

#include "base/text.h"
#include "http/exchange.h"

#include <errno.h>
#include <string.h>

#define STAY "max-age=63072000; includeSubDomains"

/* The host without its port; the head was checked, so it holds nothing but what a host may. */
static struct weir_bytes host_alone(struct weir_bytes host)
{
    const char *bracket = host.len > 0 && host.at[0] == '[' ? memchr(host.at, ']', host.len) : NULL;
    size_t from = bracket ? (size_t)(bracket - host.at) : 0;
    const char *colon = memchr(host.at + from, ':', host.len - from);
    return (struct weir_bytes){host.at, colon ? (size_t)(colon - host.at) : host.len};
}

static int redirect_start(struct weir_exchange *x)
{
    const struct secure_http *secure = weir_exchange_config(x);
    struct weir_bytes host = weir_request_host(x), path = weir_request_path(x),
                      query = weir_request_query(x);
    if (host.len == 0)
        return weir_reply_error(x, 400);
    host = host_alone(host);
    size_t size = host.len + path.len + query.len + sizeof("https://:65535/?");
    char *location = weir_exchange_alloc(x, size);
    if (!location)
        return -ENOMEM;
    struct text t;
    text_init(&t, location, size);
    text_str(&t, "https://");
    text_add(&t, host.at, host.len);
    if (secure->port != 443)
        text_fmt(&t, ":%u", secure->port);
    if (path.len == 0 || path.at[0] != '/')
        text_char(&t, '/');
    else
        text_add(&t, path.at, path.len);
    if (query.len > 0) {
        text_char(&t, '?');
        text_add(&t, query.at, query.len);
    }
    return weir_reply_redirect(x, 308, text_end(&t));
}

static const struct weir_handler redirect_handler = {.name = "https", .start = redirect_start};

static const struct weir_handler *route_away(const struct weir_http *http, struct weir_exchange *x,
                                             const void **out_config)
{
    (void)x;
    *out_config = http;
    return &redirect_handler;
}

static const struct weir_handler *route_here(const struct weir_http *http, struct weir_exchange *x,
                                             const void **out_config)
{
    const struct secure_http *secure = (const struct secure_http *)http;
    if (x->reroutes == 0)
        (void)!weir_reply_field(x, "Strict-Transport-Security",
                                STAY); /* no room: the answer is worth more */
    return secure->inner->route(secure->inner, x, out_config);
}

void secure_redirect(struct secure_http *secure, const struct weir_http *site, unsigned port)
{
    *secure = (struct secure_http){.http = *site, .inner = site, .port = port};
    secure->http.route = route_away;
}

void secure_stay(struct secure_http *secure, const struct weir_http *site)
{
    *secure = (struct secure_http){.http = *site, .inner = site};
    secure->http.route = route_here;
}
