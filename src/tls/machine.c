/* The machine: records in and out, and in between the inner connection's turns. */
#include "tls/machine.h"

#include "tbl/limits.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* --- how OpenSSL reads and writes: from what input() was given, into the outer queue --- */

static int bio_read(BIO *bio, char *to, int len)
{
    struct link *link = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t n = len > 0 ? (size_t)len : 0;
    n = n < link->in_len ? n : link->in_len;
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, link->in, n);
    link->in += n;
    link->in_len -= n;
    return (int)n;
}

/* The queue's own failure ends the connection at the turn's end. */
static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct link *link = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len > 0 && link->conn)
        weir_out_copy(weir_conn_out(link->conn), bytes, (size_t)len);
    else if (len > 0)
        shake_keep(link->shake, bytes, (size_t)len);
    return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *at)
{
    (void)bio, (void)number, (void)at;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *machine_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "weir");
    if (!method)
        return NULL;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

uint64_t link_wall_s(const struct link *link)
{
    if (!link->conn)
        return link->wall_s;
    int64_t wall = weir_conn_now(link->conn).wall_ns / (int64_t)WEIR_NS_PER_S;
    return wall > 0 ? (uint64_t)wall : 0;
}

const struct weir_tls *link_tls(const struct link *link)
{
    return link->tls;
}

struct tls_sites *link_sites(const struct link *link)
{
    return link->sites;
}

bool link_may_lend(const struct link *link)
{
    return link->conn && !link->here && weir_conn_driver(link->conn)->shared;
}

int machine_error(const SSL *ssl, const struct weir_tls *tls)
{
    unsigned long code = ERR_peek_error();
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        return -ENOMEM;
    if (SSL_get_verify_result(ssl) != X509_V_OK && !tls->insecure)
        return -EACCES;
    return -EPROTO;
}

/* --- the inner connection --- */

/* The inner one, also while it waits for the handshake, if whoever made this connection made it beforehand. */
static struct weir_conn *inner_of(const struct machine *m, const struct weir_conn *conn)
{
    return m->inner ? m->inner : weir_conn_inner(conn);
}

/* What broke is told to the inner one, also when it was closing already; an alert that was queued still goes out. */
static int fail(struct machine *m, int why)
{
    struct weir_conn *inner = inner_of(m, m->link.conn);
    client_explain(m, why);
    if (inner && !m->over) {
        weir_conn_abort(inner, why);
        (void)weir_conn_turn(inner);
    }
    m->over = true;
    return why;
}

static void say_end(struct machine *m)
{
    if (!m->ended) {
        ERR_clear_error();
        (void)SSL_shutdown(m->ssl); /* 0: the other half is open still */
    }
    m->ended = true;
}

/* The inner one is done. An end that was not meant must not look like one that was: no close_notify. */
static void finish(struct machine *m)
{
    int why = weir_conn_why(m->inner);
    m->over = true;
    if (weir_conn_is_reset(m->inner)) {
        weir_conn_reset(m->link.conn, why);
    } else if (weir_conn_is_broken(m->inner) && !m->ended) { /* else it has lingered long enough */
        weir_conn_abort(m->link.conn, why);
    } else {
        if (why == WEIR_DONE || why == -ETIMEDOUT)
            say_end(m);
        weir_conn_finish(m->link.conn, why);
    }
}

static void hold(struct machine *m, bool held)
{
    if (held == m->held)
        return;
    m->held = held;
    if (held)
        weir_conn_pause(m->link.conn);
    else
        weir_conn_resume(m->link.conn);
}

/* One record's content for the inner one, which wants it, and the turn that follows. 1; 0: nothing to be had; -errno. */
static int take_record(struct machine *m, unsigned *want)
{
    uint8_t content[LIMIT_TLS_RECORD];
    struct iovec room = weir_conn_room(m->inner);
    bool direct = room.iov_base != weir_conn_driver(m->link.conn)->hot;
    size_t len = 0;
    ERR_clear_error();
    int rc = direct ? SSL_read_ex(m->ssl, room.iov_base, room.iov_len, &len)
                    : SSL_read_ex(m->ssl, content, sizeof(content), &len);
    if (rc == 1) {
        if (direct)
            weir_conn_received(m->inner, (ssize_t)len);
        else
            (void)weir_conn_feed(m->inner, content, len); /* all: it had nothing */
        *want = weir_conn_turn(m->inner);                 /* now, while `content` is there */
        return 1;
    }
    switch (SSL_get_error(m->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        weir_conn_received(m->inner, 0);
        *want = weir_conn_turn(m->inner);
        return 1;
    default:
        return machine_error(m->ssl, m->link.tls);
    }
}

/* Turns of the inner one, and bytes both ways between them, until nothing moves. */
static int pump(struct machine *m)
{
    unsigned want = m->over ? 0 : weir_conn_turn(m->inner);
    while (!m->over) {
        if (want & WEIR_IO_CLOSE) {
            finish(m);
            return 0;
        }
        if ((want & WEIR_IO_END) && !m->ended) {
            say_end(m);
            weir_conn_end(m->link.conn);
        }
        if ((want & WEIR_IO_END) && weir_out_len(weir_conn_out(m->link.conn)) == 0) {
            weir_conn_ended(
                m->inner); /* its last byte is with the system: the time it lingers begins */
            want = weir_conn_turn(m->inner);
            continue;
        }
        if ((want & WEIR_IO_WRITE) && weir_out_room(weir_conn_out(m->link.conn))) {
            int rc = record_send(m);
            if (rc < 0)
                return rc;
            if (rc > 0) {
                want = weir_conn_turn(m->inner);
                continue;
            }
        }
        hold(m, !(want & WEIR_IO_READ));
        int rc = m->held ? 0 : take_record(m, &want);
        if (rc <= 0)
            return rc;
    }
    return 0;
}

/* Printable text whatever is in it: all else is escaped. */
static void note_subject(struct machine *m)
{
    const X509 *cert = SSL_get0_peer_certificate(m->ssl);
    char bytes[LIMIT_TLS_SUBJECT];
    BIO *to = cert && !m->link.tls->peer_name ? BIO_new(BIO_s_mem()) : NULL;
    if (!to)
        return;
    X509_NAME_print_ex(to, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253);
    int len = BIO_read(to, bytes, sizeof(bytes));
    BIO_free(to);
    m->subject = len > 0 ? strndup(bytes, (size_t)len) : NULL;
}

/* Drivers that are not shared may hand a connection on before it is done, and do not ask. */
static void count_shaking(struct machine *m, bool shakes)
{
    if (shakes == m->counted)
        return; /* also of one that was never opened */
    struct weir_driver *driver = weir_conn_driver(m->link.conn);
    if (!driver->shared)
        return;
    m->counted = shakes;
    driver->shaking += shakes ? 1u : -1u;
}

static int begin_inner(struct machine *m)
{
    count_shaking(m, false);
    note_subject(m);
    int rc = client_check(m);
    if (rc < 0)
        return rc;
    weir_conn_arm(m->link.conn, 0);
    m->inner = weir_conn_inner(m->link.conn);
    const struct weir_tls_way *way = context_way(m->link.tls, m->ssl);
    if (!m->inner)
        m->inner = weir_conn_new_inner(m->link.conn, way->protocol, way->config);
    if (!m->inner)
        return -ENOMEM;
    if (m->leave_busy)
        weir_conn_leave(m->inner, WEIR_LEAVE_BUSY);
    if (m->leave_stop)
        weir_conn_leave(m->inner, WEIR_LEAVE_STOP);
    weir_conn_rest(m->link.conn, true); /* from now on the inner one says */
    return 0;
}

/* 0: done, or more has to come. */
static int shake_hands(struct machine *m)
{
    m->back = false;
    ERR_clear_error();
    int rc = SSL_do_handshake(m->ssl);
    if (rc == 1)
        return begin_inner(m);
    switch (SSL_get_error(m->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_WANT_X509_LOOKUP: /* what follows is dear, says context.c */
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
        return shake_lend(m);
    default:
        return machine_error(m->ssl, m->link.tls);
    }
}

static int go_on(struct machine *m)
{
    if (m->shake)
        return 0; /* it comes back */
    int rc = m->inner ? 0 : shake_hands(m);
    if (rc == 0 && m->inner)
        rc = pump(m);
    return rc < 0 ? fail(m, rc) : 0;
}

/* --- the protocol --- */

int machine_open(void *state, struct weir_conn *conn, const void *config)
{
    struct machine *m = state;
    m->link.tls = config;
    m->link.conn = conn;
    out_init(&m->file, weir_conn_driver(conn)->pool);
    sites_look(m->link.tls, weir_conn_driver(conn));
    m->ssl = context_new_ssl(m->link.tls, &m->link);
    if (!m->ssl)
        return -ENOMEM;
    count_shaking(m, true);
    m->until_ns = weir_conn_now(conn).mono_ns + LIMIT_TLS_HANDSHAKE_MS * WEIR_NS_PER_MS;
    weir_conn_arm(conn, m->until_ns);
    return m->link.tls->peer_name ? go_on(m) : 0;
}

ssize_t machine_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct machine *m = state;
    (void)conn;
    m->begun = true;
    if (m->shake)
        return 0; /* it is paused */
    if (m->over || (SSL_get_shutdown(m->ssl) & SSL_RECEIVED_SHUTDOWN))
        return (ssize_t)
            len; /* whatever comes after close_notify means nothing (RFC 8446 section 6.1) */
    m->link.in = bytes;
    m->link.in_len = len;
    int rc = go_on(m);
    len -= m->link.in_len;
    m->link.in = NULL;
    m->link.in_len = 0;
    return rc < 0 ? rc : (ssize_t)len;
}

int machine_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct machine *m = state;
    (void)rest;
    if (m->over || (m->ssl && SSL_get_shutdown(m->ssl) & SSL_RECEIVED_SHUTDOWN))
        return m->inner && !m->over ? go_on(m) : 0;
    if (!m->begun && !m->link.tls->peer_name) {
        weir_conn_finish(conn, WEIR_DONE); /* it only knocked */
        return 0;
    }
    return fail(m, -EPROTO);
}

int machine_output(void *state, struct weir_conn *conn)
{
    struct machine *m = state;
    const struct weir_conn *waiting = m->inner ? NULL : weir_conn_inner(conn);
    if (waiting && weir_conn_why(waiting) < 0)
        return weir_conn_why(waiting); /* it is not wanted any more */
    return m->inner || m->back ? go_on(m) : 0;
}

void machine_expire(void *state, struct weir_conn *conn)
{
    struct machine *m = state;
    int rc = -ETIMEDOUT;
    if (shake_waits(m) && weir_conn_now(conn).mono_ns < m->until_ns)
        rc = shake_lend(m);
    if (rc < 0)
        weir_conn_finish(conn, rc);
}

/* Somebody waits for the place of a client that is slow to shake hands, or never will. */
static void hurry(struct machine *m)
{
    uint64_t until = weir_conn_now(m->link.conn).mono_ns + LIMIT_TLS_BUSY_MS * WEIR_NS_PER_MS;
    if (until >= m->until_ns)
        return;
    m->until_ns = until;
    if (!shake_waits(m)) /* else it asks again sooner than that */
        weir_conn_arm(m->link.conn, until);
}

void machine_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct machine *m = state;
    if (m->inner) {
        weir_conn_leave(m->inner, why);
        return;
    }
    m->leave_busy |= why == WEIR_LEAVE_BUSY;
    m->leave_stop |= why == WEIR_LEAVE_STOP;
    if (!m->begun)
        weir_conn_finish(conn, WEIR_DONE);
    else if (why == WEIR_LEAVE_BUSY)
        hurry(m);
}

static const char *machine_who(const void *state)
{
    return ((const struct machine *)state)->subject;
}

void machine_close(void *state, struct weir_conn *conn, int why)
{
    struct machine *m = state;
    struct weir_conn *inner = inner_of(m, conn);
    count_shaking(m, false);
    if (inner && !m->over && why < 0)
        weir_conn_received(inner, why);
    weir_conn_free(inner);
    shake_leave(m);
    SSL_free(m->ssl);
    sites_drop(m->link.sites);
    free(m->subject);
    out_done(&m->file);
}

const struct weir_protocol weir_tls_machine = {
    .name = "tls",
    .state_size = sizeof(struct machine),
    .input_max = 1,
    .open = machine_open,
    .input = machine_input,
    .eof = machine_eof,
    .output = machine_output,
    .expire = machine_expire,
    .leave = machine_leave,
    .close = machine_close,
    .who = machine_who,
};
