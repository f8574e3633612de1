/* Both ends of a TLS connection as streams: a client by its name, and over it what was accepted for it. */
#pragma once

#include "cert.h"
#include "ends.h"

#include <weir/tls.h>

/* One for all tests; its client does not ask for a protocol. */
static inline struct weir_tls *tls_server(void)
{
    static struct weir_tls *tls;
    char why[200];
    const struct weir_tls_cert cert = {cert_file(), cert_key_file()};
    const struct weir_tls_options options = {.certs = &cert, .cert_count = 1};
    if (!tls && weir_tls_new(&options, &tls, why, sizeof(why)) < 0)
        fail_msg("%s", why);
    return tls;
}

static inline struct weir_listener *listen_tcp(const char *name)
{
    struct weir_listener *listener;
    assert_int_equal(weir_listen(name, 0, &listener), 0);
    return listener;
}

/* How its client calls it. */
static inline const char *tls_name(const struct weir_listener *listener)
{
    static char name[300];
    snprintf(name, sizeof(name), "tls:%s?ca=%s", weir_listener_name(listener) + strlen("tcp:"),
             cert_file());
    return name;
}

/* NULL: nobody came, or hands could not be shaken. */
static inline struct weir_stream *accept_tls(struct weir_listener *listener)
{
    struct weir_stream *under, *over;
    if (weir_accept(listener, PATIENCE_MS, &under) < 0 ||
        weir_tls_stream(under, tls_server(), PATIENCE_MS, &over) < 0)
        return NULL;
    return over;
}

static inline void *accept_tls_thread(void *listener)
{
    return accept_tls(listener);
}

static inline void open_tls_at(const char *host, struct ends *e)
{
    struct weir_listener *listener = listen_tcp(host);
    pthread_t thread;
    void *accepted;
    (void)tls_server();
    assert_int_equal(pthread_create(&thread, NULL, accept_tls_thread, listener), 0);
    assert_int_equal(weir_open(tls_name(listener), 0, PATIENCE_MS, &e->writer), 0);
    pthread_join(thread, &accepted);
    assert_non_null(accepted);
    e->reader = accepted;
    weir_listener_close(listener);
}

static inline void open_tls4(struct ends *e)
{
    open_tls_at("tcp:127.0.0.1:0", e);
}

static inline void open_tls6(struct ends *e)
{
    open_tls_at("tcp:[::1]:0", e);
}
