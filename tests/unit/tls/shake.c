/* Handshakes lent to helpers: that they pass, and what becomes of them when the peer, the server or the helper's time is gone. */
#include "peer.h"

#include <weir/conn.h>
#include <weir/driver.h>
#include <weir/protocols.h>

/* A driver whose jobs the test looks after. */
static struct {
    struct weir_driver_ops ops;
    const struct weir_driver_ops *own;
    int refuse;            /* what submit() says; 0: it takes the job */
    struct weir_job *kept; /* instead of running it */
    bool keep;
    unsigned submitted;
} jobs;

static int submit(struct weir_driver *driver, struct weir_job *job)
{
    if (jobs.refuse < 0)
        return jobs.refuse;
    jobs.submitted++;
    assert_true(job->shakes);
    if (!jobs.keep)
        return jobs.own->submit(driver, job);
    assert_null(jobs.kept);
    jobs.kept = job;
    return 0;
}

/* As a loop is: its thread feeds others too. */
static struct sim *shared(struct sim *sim)
{
    struct weir_driver *driver = sim_driver(sim);
    memset(&jobs, 0, sizeof(jobs));
    jobs.own = driver->ops;
    jobs.ops = *driver->ops;
    jobs.ops.submit = submit;
    driver->ops = &jobs.ops;
    driver->shared = true;
    return sim;
}

static void finish_job(bool work)
{
    struct weir_job *job = jobs.kept;
    jobs.kept = NULL;
    assert_non_null(job);
    if (work)
        job->work(job);
    job->cancelled = !work;
    job->done(job);
}

static uint8_t text[50000], back[sizeof(text) + 1];

static void bytes_pass_after_a_helper_had_it(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct peer peer;
        struct sim *sim = seed ? rough(seed) : calm();
        peer_connect(&peer, shared(sim), tls, seed % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        peer_shake(&peer);
        assert_int_equal(jobs.submitted, 1);
        peer_send(&peer, text, sizeof(text));
        assert_int_equal(peer_take(&peer, back, sizeof(back)), sizeof(text));
        assert_memory_equal(back, text, sizeof(text));
        SSL_shutdown(peer.ssl);
        assert_int_equal(peer_take(&peer, back, 1), 0);
        assert_true(peer.ended);
        sim_finish(peer.end);
        peer_move(&peer);
        assert_closed(peer.end, WEIR_DONE);
        peer_done(&peer);
    }
    weir_tls_free(tls);
}

static void what_is_cheap_stays(void **state)
{
    (void)state;
    struct peer peer;
    struct weir_tls *rsa = peer_server(&weir_echo, NULL);
    peer_connect(&peer, calm(), rsa, TLS1_3_VERSION); /* a thread of its own */
    struct sim *sim = shared(peer.sim);
    sim_driver(sim)->shared = false;
    peer_shake(&peer);
    assert_int_equal(jobs.submitted, 0);
    peer_done(&peer);
    peer_keys_are_rsa(false);
    struct weir_tls *ec = peer_server(&weir_echo, NULL);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        peer_connect(&peer, shared(calm()), ec, version);
        peer_shake(&peer);
        assert_int_equal(jobs.submitted, 0);
        peer_done(&peer);
    }
    peer_connect(&peer, shared(calm()), ec, TLS1_3_VERSION);
    SSL_set1_groups_list(peer.ssl, "P-384");
    peer_shake(&peer);
    assert_int_equal(jobs.submitted, 1);
    peer_done(&peer);
    peer_keys_are_rsa(true);
    weir_tls_free(ec);
    weir_tls_free(rsa);
}

static SSL_SESSION *session_of(const struct weir_tls *tls, int version)
{
    struct peer peer;
    peer_connect(&peer, shared(calm()), tls, version);
    peer_shake(&peer);
    peer_send(&peer, "x", 1);
    assert_int_equal(peer_take(&peer, back, 1), 1); /* the tickets, too */
    SSL_SESSION *session = SSL_get1_session(peer.ssl);
    SSL_shutdown(peer.ssl);
    peer_done(&peer);
    return session;
}

static void a_session_needs_no_helper(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer peer;
        SSL_SESSION *session = session_of(tls, version);
        peer_connect(&peer, shared(calm()), tls, version);
        SSL_set_session(peer.ssl, session);
        peer_shake(&peer);
        assert_true(SSL_session_reused(peer.ssl));
        assert_int_equal(jobs.submitted, 0);
        if (version == TLS1_3_VERSION) { /* a ticket is for one use: there is another */
            peer_send(&peer, "x", 1);
            assert_int_equal(peer_take(&peer, back, 1), 1);
            SSL_SESSION *next = SSL_get1_session(peer.ssl);
            size_t len, next_len;
            const unsigned char *ticket, *next_ticket;
            SSL_SESSION_get0_ticket(session, &ticket, &len);
            SSL_SESSION_get0_ticket(next, &next_ticket, &next_len);
            assert_true(len > 0 && next_len > 0);
            assert_false(len == next_len && memcmp(ticket, next_ticket, len) == 0);
            SSL_SESSION_free(next);
        }
        peer_done(&peer);
        SSL_SESSION_free(session);
    }
    weir_tls_free(tls);
}

/* Up to the hello, with the handshake at the helper. */
static void lend(struct peer *peer, const struct weir_tls *tls, struct sim *sim)
{
    peer_connect(peer, shared(sim), tls, TLS1_3_VERSION);
    jobs.keep = true;
    peer_move(peer);
    assert_non_null(jobs.kept);
    assert_false(SSL_is_init_finished(peer->ssl));
}

static void a_helper_may_be_late(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct peer peer;
    lend(&peer, tls, calm());
    assert_false(weir_conn_resting(sim_conn(peer.end)));
    assert_int_equal(sim_send(peer.end, "\x14\x03\x03\x00\x01\x01", 6), 0);
    wait_ms(peer.sim, 9999);
    assert_int_equal(sim_unread(peer.end), 6); /* held back */
    assert_int_equal(sim_output(peer.end).len, 0);
    finish_job(true);
    peer_shake(&peer);
    peer_send(&peer, "late", 4);
    assert_int_equal(peer_take(&peer, back, sizeof(back)), 4);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void a_helper_may_be_too_late(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    lend(&peer, tls, calm());
    wait_ms(peer.sim, 10000);
    assert_closed(peer.end, -ETIMEDOUT);
    finish_job(true);
    assert_int_equal(probe.opens, 0);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void a_peer_may_go_meanwhile(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (unsigned work = 0; work < 2; work++) {
        struct peer peer;
        lend(&peer, tls, calm());
        weir_conn_received(sim_conn(peer.end), -ECONNRESET); /* as a driver tells a paused one */
        weir_conn_wake(sim_conn(peer.end));
        run(peer.sim);
        assert_closed(peer.end, -ECONNRESET);
        finish_job(work);
        peer_done(&peer);
        lend(&peer, tls, calm());
        sim_finish(peer.end); /* it only says no more */
        run(peer.sim);
        finish_job(true);
        run(peer.sim);
        assert_closed(peer.end, -EPROTO);
        peer_done(&peer);
    }
    weir_tls_free(tls);
}

static void the_server_may_leave_meanwhile(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    lend(&peer, tls, calm());
    sim_leave(peer.sim, WEIR_LEAVE_STOP);
    run(peer.sim);
    assert_open(peer.end);
    finish_job(true);
    peer_shake(&peer);
    assert_int_equal(probe.leaves, 1);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void the_driver_may_end_meanwhile(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct peer peer;
    lend(&peer, tls, calm());
    peer_done(&peer); /* connections first, then jobs, as drivers do */
    finish_job(false);
    lend(&peer, tls, calm());
    finish_job(false); /* the other way round */
    run(peer.sim);
    assert_closed(peer.end, -ECANCELED);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void a_full_queue_is_asked_again(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct peer peer;
    peer_connect(&peer, shared(calm()), tls, TLS1_3_VERSION);
    jobs.refuse = -EAGAIN;
    peer_move(&peer);
    wait_ms(peer.sim, 3000);
    assert_open(peer.end);
    jobs.refuse = 0;
    wait_ms(peer.sim, LIMIT_TLS_RETRY_MS);
    assert_int_equal(jobs.submitted, 1);
    peer_shake(&peer);
    wait_ms(peer.sim, 20000); /* no deadline is left over */
    assert_open(peer.end);
    peer_done(&peer);
    peer_connect(&peer, shared(calm()), tls, TLS1_3_VERSION);
    jobs.refuse = -EAGAIN;
    peer_move(&peer);
    wait_ms(peer.sim, 9999);
    assert_open(peer.end);
    wait_ms(peer.sim, 1);
    assert_closed(peer.end, -ETIMEDOUT);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void without_helpers_it_is_done_here(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer peer;
        peer_connect(&peer, shared(calm()), tls, version);
        jobs.refuse = -ENOMEM;
        peer_shake(&peer);
        peer_send(&peer, "here", 4);
        assert_int_equal(peer_take(&peer, back, sizeof(back)), 4);
        peer_done(&peer);
    }
    weir_tls_free(tls);
}

/* A failure is the peer's to know, and only its own. */
static void what_fails_with_a_helper_is_said(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct peer peer;
    peer_connect(&peer, shared(calm()), tls, TLS1_2_VERSION);
    SSL_set1_sigalgs_list(peer.ssl, "ECDSA+SHA256"); /* and the certificate is RSA's */
    SSL_set_cipher_list(peer.ssl, "ECDHE-RSA-AES128-GCM-SHA256");
    peer_move(&peer);
    assert_closed(peer.end, -EPROTO);
    assert_int_equal(sim_output(peer.end).len, 7); /* an alert */
    assert_int_equal(sim_output(peer.end).at[0], 21);
    peer_done(&peer);
    weir_tls_free(tls);
}

/* Each of our own allocations fails in turn. */
static void no_memory_ends_it_and_nothing_leaks(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (unsigned long n = 0; n < 60; n++) {
        struct peer peer;
        peer_connect(&peer, shared(calm()), tls, TLS1_3_VERSION);
        (void)SSL_do_handshake(peer.ssl);
        char hello[4096];
        int len = BIO_read(peer.out, hello, sizeof(hello));
        assert_int_equal(sim_send(peer.end, hello, (size_t)len), 0);
        alloc_fail(n, false);
        int rc = sim_run(peer.sim);
        alloc_heal();
        assert_true(rc == 0 || rc == -ENOMEM);
        int why = 0;
        if (sim_closed(peer.end, &why))
            assert_true(why == -ENOMEM || why == -EPROTO);
        peer_done(&peer);
    }
    weir_tls_free(tls);
}

static int make_text(void **state)
{
    (void)state;
    peer_keys_are_rsa(true);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 31 + i / 251);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_after_a_helper_had_it),
        cmocka_unit_test(what_is_cheap_stays),
        cmocka_unit_test(a_session_needs_no_helper),
        cmocka_unit_test(a_helper_may_be_late),
        cmocka_unit_test(a_helper_may_be_too_late),
        cmocka_unit_test(a_peer_may_go_meanwhile),
        cmocka_unit_test(the_server_may_leave_meanwhile),
        cmocka_unit_test(the_driver_may_end_meanwhile),
        cmocka_unit_test(a_full_queue_is_asked_again),
        cmocka_unit_test(without_helpers_it_is_done_here),
        cmocka_unit_test(what_fails_with_a_helper_is_said),
        cmocka_unit_test(no_memory_ends_it_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, make_text, NULL);
}
