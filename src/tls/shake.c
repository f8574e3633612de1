/*
 * Handshakes on helper threads. What a thread that feeds other connections has no time for, an RSA signature say, a helper does: it is
 * lent the SSL, whole, and the connection is paused meanwhile. What OpenSSL wants to send is kept until it is back.
 */
#include "tbl/limits.h"
#include "tls/machine.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <errno.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct shake {
    struct weir_job job; /* first */
    struct machine *m;   /* NULL: the connection is gone, and `ssl` is ours */
    SSL *ssl;
    struct link link;
    _Atomic bool gone; /* the same for the helper, who then need not begin */
    bool waits;        /* not handed in yet */
    bool failed;       /* no memory for what is to be sent */
    uint8_t *flight;   /* what is to be sent */
    size_t len, size;
    int rc; /* 0 or -errno */
};

void shake_keep(struct shake *shake, const void *bytes, size_t len)
{
    if (shake->failed || len > LIMIT_TLS_FLIGHT - shake->len) {
        shake->failed = true;
        return;
    }
    if (len > shake->size - shake->len) {
        size_t size = (shake->len + len + 4095) / 4096 * 4096;
        uint8_t *flight = realloc(shake->flight, size);
        if (!flight) {
            shake->failed = true;
            return;
        }
        shake->flight = flight;
        shake->size = size;
    }
    memcpy(shake->flight + shake->len, bytes, len);
    shake->len += len;
}

static void free_shake(struct shake *shake)
{
    free(shake->flight);
    sites_drop(shake->link.sites);
    free(shake);
}

/* On the helper's thread; OpenSSL keeps what went wrong by thread, so it is looked at here. */
static void shake_work(struct weir_job *job)
{
    struct shake *shake = (struct shake *)job;
    if (atomic_load_explicit(&shake->gone, memory_order_relaxed))
        return;
    ERR_clear_error();
    int rc = SSL_do_handshake(shake->ssl);
    if (rc != 1 && SSL_get_error(shake->ssl, rc) != SSL_ERROR_WANT_READ)
        shake->rc = machine_error(shake->ssl, shake->link.tls);
    if (shake->failed)
        shake->rc = -ENOMEM;
}

static void point_to(SSL *ssl, struct link *link)
{
    (void)SSL_set_app_data(ssl, link); /* the slot is there: no memory is needed */
    BIO_set_data(SSL_get_rbio(ssl), link);
}

static void shake_done(struct weir_job *job)
{
    struct shake *shake = (struct shake *)job;
    struct machine *m = shake->m;
    if (!m) {
        SSL_free(shake->ssl);
        free_shake(shake);
        return;
    }
    m->shake = NULL;
    point_to(m->ssl, &m->link);
    if (shake->len > 0)
        weir_out_copy(weir_conn_out(m->link.conn), shake->flight, shake->len); /* an alert, too */
    int rc = shake->job.cancelled ? -ECANCELED : shake->rc;
    free_shake(shake);
    if (rc < 0) {
        weir_conn_finish(m->link.conn, rc);
        return;
    }
    m->back = true;
    weir_conn_arm(m->link.conn, m->until_ns);
    weir_conn_resume(m->link.conn);
}

/* No helper is to be had: the thread does it itself. */
static void do_here(struct machine *m)
{
    free_shake(m->shake);
    m->shake = NULL;
    point_to(m->ssl, &m->link);
    m->link.here = true;
    m->back = true;
    weir_conn_resume(m->link.conn);
}

static struct shake *new_shake(struct machine *m)
{
    struct shake *shake = calloc(1, sizeof(*shake));
    if (!shake)
        return NULL;
    *shake = (struct shake){.job = {.work = shake_work, .done = shake_done, .shakes = true},
                            .m = m,
                            .ssl = m->ssl,
                            .link = {.tls = m->link.tls, .shake = shake},
                            .waits = true};
    shake->link.sites = m->link.sites;
    atomic_fetch_add(&m->link.sites->held, 1);
    shake->link.wall_s = link_wall_s(&m->link);
    return shake;
}

int shake_lend(struct machine *m)
{
    struct weir_driver *driver = weir_conn_driver(m->link.conn);
    if (!m->shake)
        m->shake = new_shake(m);
    if (!m->shake)
        return -ENOMEM;
    weir_conn_pause(m->link.conn);
    point_to(m->ssl, &m->shake->link);
    m->shake->job.brief = m->link.brief;
    int rc = driver->ops->submit(driver, &m->shake->job);
    m->shake->waits = rc == -EAGAIN;
    if (rc == -EAGAIN) {
        uint64_t at = driver->now.mono_ns + LIMIT_TLS_RETRY_MS * WEIR_NS_PER_MS;
        weir_conn_arm(m->link.conn, at < m->until_ns ? at : m->until_ns);
    } else if (rc < 0) {
        do_here(m);
    } else {
        weir_conn_arm(m->link.conn, m->until_ns);
    }
    return 0;
}

bool shake_waits(const struct machine *m)
{
    return m->shake && m->shake->waits;
}

void shake_leave(struct machine *m)
{
    struct shake *shake = m->shake;
    if (!shake)
        return;
    m->shake = NULL;
    if (shake->waits) {
        free_shake(shake);
        return;
    }
    shake->m = NULL;
    atomic_store_explicit(&shake->gone, true, memory_order_relaxed);
    m->ssl = NULL;
}
