/* The TLS machine as a client, in memory: the inner connection that waits for the handshake, and what it is told when there is none. */
#include "cert.h"
#include "probe.h"

#include <weir/conn.h>
#include <weir/protocols.h>
#include <weir/tls.h>

/* A client and a server of the same simulation; the test carries the bytes. */
struct couple {
    struct sim *sim;
    struct weir_tls *server_tls, *client_tls;
    struct sim_end *server, *client;
    size_t from_server, from_client; /* carried */
    struct probe probe;              /* inside the client */
    struct weir_conn *inner;
};

static struct weir_tls *settings(const struct weir_tls_options *options)
{
    struct weir_tls *tls;
    char why[200];
    if (weir_tls_new(options, &tls, why, sizeof(why)) < 0)
        fail_msg("%s", why);
    return tls;
}

static struct weir_tls *client_of(const char *name, const char *alpn)
{
    const struct weir_tls_options options = {.peer_name = name,
                                             .authorities = cert_file(),
                                             .alpn = alpn,
                                             .alpn_needed = alpn != NULL,
                                             .explain = true};
    return settings(&options);
}

static void couple_init(struct couple *c, struct sim *sim, struct weir_tls *client)
{
    const struct weir_tls_cert cert = {cert_file(), cert_key_file()};
    const struct weir_tls_options options = {
        .certs = &cert, .cert_count = 1, .alpn = "x", .protocol = &weir_echo};
    *c = (struct couple){.sim = sim, .client_tls = client, .server_tls = settings(&options)};
    c->server = sim_connect(sim, &weir_tls_machine, c->server_tls);
    c->client = sim_connect(sim, &weir_tls_dialled, weir_tls_hold(client));
    c->inner = weir_conn_new_inner(sim_conn(c->client), &probe_protocol, &c->probe);
    assert_non_null(c->inner);
}

static void couple_done(struct couple *c)
{
    sim_free(c->sim);
    weir_tls_free(c->client_tls);
    weir_tls_free(c->server_tls);
}

static bool carry(const struct sim_end *from, struct sim_end *to, size_t *at)
{
    struct weir_bytes output = sim_output(from);
    size_t len = output.len - *at;
    if (len == 0)
        return false;
    assert_int_equal(sim_send(to, output.at + *at, len), 0);
    *at += len;
    return true;
}

static void move(struct couple *c)
{
    bool moved = true;
    while (moved) {
        run(c->sim);
        moved = carry(c->client, c->server, &c->from_client);
        moved |= carry(c->server, c->client, &c->from_server);
    }
}

static void one_that_waits_talks_after_the_handshake(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct couple c;
        couple_init(&c, seed ? rough(seed) : calm(), client_of("localhost", NULL));
        assert_int_equal(c.probe.opens, 0);
        move(&c);
        assert_int_equal(c.probe.opens, 1);
        assert_ptr_equal(c.probe.conn, c.inner);
        weir_out_copy(weir_conn_out(c.inner), "to and fro", 10);
        weir_conn_wake(c.inner);
        move(&c);
        assert_int_equal(c.probe.consumed, 10);
        weir_conn_finish(c.inner, WEIR_DONE);
        move(&c);
        assert_closed(c.client, WEIR_DONE);
        assert_int_equal(c.probe.closes, 1);
        assert_string_equal(weir_tls_complaint(c.client_tls), "");
        couple_done(&c);
    }
}

static void assert_told(struct couple *c, int why, const char *words)
{
    assert_closed(c->client, why);
    assert_int_equal(c->probe.opens, 0);
    assert_int_equal(c->probe.closes, 1);
    assert_int_equal(c->probe.why, why);
    if (!strstr(weir_tls_complaint(c->client_tls), words))
        fail_msg("%s", weir_tls_complaint(c->client_tls));
}

static void it_is_told_why_it_will_not(void **state)
{
    struct couple c;
    (void)state;
    couple_init(&c, calm(), client_of("elsewhere.example", NULL));
    move(&c);
    assert_told(&c, -EACCES, "not for elsewhere.example but for localhost");
    couple_done(&c);

    couple_init(&c, calm(), client_of("localhost", "y"));
    move(&c);
    assert_told(&c, -EPROTO, "ALPN");
    couple_done(&c);

    couple_init(&c, calm(), client_of("localhost", NULL));
    send_text(c.client, "220 mail.example ESMTP\r\n");
    run(c.sim);
    assert_told(&c, -EPROTO, "no TLS");
    couple_done(&c);

    couple_init(&c, calm(), client_of("localhost", NULL));
    run(c.sim);
    sim_finish(c.client);
    run(c.sim);
    assert_told(&c, -EPROTO, "without a word of TLS");
    couple_done(&c);

    couple_init(&c, calm(), client_of("localhost", NULL));
    run(c.sim);
    wait_ms(c.sim, LIMIT_TLS_HANDSHAKE_MS + 1);
    assert_told(&c, -ETIMEDOUT, "");
    couple_done(&c);
}

/* Before the first turn: the stream broke, and the machine was never opened. */
static void a_dial_that_fails_is_told_to_it(void **state)
{
    struct couple c;
    (void)state;
    couple_init(&c, calm(), client_of("localhost", NULL));
    weir_conn_received(sim_conn(c.client), -ECONNREFUSED);
    run(c.sim);
    assert_told(&c, -ECONNREFUSED, "");
    couple_done(&c);
}

static void one_that_gives_up_ends_the_handshake(void **state)
{
    struct couple c;
    (void)state;
    couple_init(&c, calm(), client_of("localhost", NULL));
    run(c.sim);
    weir_conn_abort(c.inner, -ECANCELED);
    run(c.sim);
    assert_told(&c, -ECANCELED, "");
    couple_done(&c);
}

/* Each record in turn is lost, with all that follows: nothing but an error comes of it. */
static void a_cut_anywhere_is_an_error(void **state)
{
    (void)state;
    struct couple whole;
    couple_init(&whole, calm(), client_of("localhost", NULL));
    move(&whole);
    weir_out_copy(weir_conn_out(whole.inner), "0123456789", 10);
    weir_conn_wake(whole.inner);
    move(&whole);
    size_t len = sim_output(whole.server).len;
    couple_done(&whole);
    for (size_t cut = 0; cut < len; cut += 7) {
        struct couple c;
        couple_init(&c, calm(), client_of("localhost", NULL));
        bool moved = true;
        while (moved) {
            run(c.sim);
            if (c.probe.opens && sim_output(c.client).len == c.from_client && !c.probe.arg) {
                weir_out_copy(weir_conn_out(c.inner), "0123456789", 10);
                weir_conn_wake(c.inner);
                c.probe.arg = &c; /* once */
                run(c.sim);
            }
            moved = carry(c.client, c.server, &c.from_client);
            struct weir_bytes output = sim_output(c.server);
            size_t end = output.len < cut ? output.len : cut;
            if (end > c.from_server) {
                assert_int_equal(sim_send(c.client, output.at + c.from_server, end - c.from_server),
                                 0);
                c.from_server = end;
                moved = true;
            }
        }
        sim_finish(c.client);
        run(c.sim);
        assert_closed(c.client, -EPROTO);
        assert_int_equal(c.probe.eofs, 0);
        assert_int_equal(c.probe.why, -EPROTO);
        couple_done(&c);
    }
}

/* It is patient, and so is what carries it: what comes in is read though what goes out stands still. */
static const struct weir_protocol *patient_probe(void)
{
    static struct weir_protocol patient;
    patient = probe_protocol;
    patient.patient = true;
    return &patient;
}

static void patience_reaches_the_outside(void **state)
{
    struct probe probe = {0};
    struct weir_conn *outer;
    (void)state;
    struct sim *sim = calm();
    struct weir_tls *tls = client_of("localhost", NULL);
    struct sim_end *end = sim_connect(sim, &weir_tls_dialled, weir_tls_hold(tls));
    outer = sim_conn(end);
    assert_false(weir_conn_patient(outer));
    assert_non_null(weir_conn_new_inner(outer, patient_probe(), &probe));
    assert_true(weir_conn_patient(outer));
    sim_free(sim);
    weir_tls_free(tls);
}

static void no_memory_ends_it_and_nothing_leaks(void **state)
{
    (void)state;
    for (unsigned long n = 0; n < 60; n++) {
        struct couple c;
        couple_init(&c, calm(), client_of("localhost", NULL));
        run(c.sim);
        (void)carry(c.client, c.server, &c.from_client);
        run(c.sim);
        (void)carry(c.server, c.client, &c.from_server);
        alloc_fail(n, false);
        int rc = sim_run(c.sim);
        alloc_heal();
        assert_true(rc == 0 || rc == -ENOMEM);
        int why = 0;
        if (sim_closed(c.client, &why))
            assert_true(why == -ENOMEM || why == -EPROTO || why == -EACCES);
        couple_done(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_waits_talks_after_the_handshake),
        cmocka_unit_test(it_is_told_why_it_will_not),
        cmocka_unit_test(a_dial_that_fails_is_told_to_it),
        cmocka_unit_test(one_that_gives_up_ends_the_handshake),
        cmocka_unit_test(a_cut_anywhere_is_an_error),
        cmocka_unit_test(patience_reaches_the_outside),
        cmocka_unit_test(no_memory_ends_it_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
