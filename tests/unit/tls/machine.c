/* The TLS machine against OpenSSL's own client: what passes, how it ends, and what a hostile peer gets. */
#include "peer.h"

#include <weir/conn.h>
#include <weir/protocols.h>

static uint8_t text[200000], back[sizeof(text) + 1];

static void bytes_pass_both_ways_at_every_cut(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct peer peer;
        peer_connect(&peer, seed ? rough(seed) : calm(), tls,
                     seed % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        peer_shake(&peer);
        size_t got = 0;
        for (size_t at = 0; at < sizeof(text); at += 10000) {
            peer_send(&peer, text + at, 10000);
            got += peer_take(&peer, back + got, sizeof(back) - got);
        }
        assert_int_equal(got, sizeof(text));
        assert_memory_equal(back, text, sizeof(text));
        SSL_shutdown(peer.ssl);
        assert_int_equal(peer_take(&peer, back, 1), 0);
        assert_true(peer.ended); /* close_notify for close_notify */
        sim_finish(peer.end);
        peer_move(&peer);
        assert_closed(peer.end, WEIR_DONE);
        peer_done(&peer);
    }
    weir_tls_free(tls);
}

/* What a client sends up to and with some data, whole. */
static size_t record_client(int version, uint8_t *to, size_t size)
{
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct peer peer;
    peer_connect(&peer, calm(), tls, version);
    (void)SSL_do_handshake(peer.ssl);
    int n = BIO_read(peer.out, to, (int)size);
    assert_true(n > 0);
    peer_done(&peer);
    weir_tls_free(tls);
    return (size_t)n;
}

static void a_hello_may_be_cut_anywhere(void **state)
{
    (void)state;
    uint8_t hello[4096];
    size_t len = record_client(TLS1_3_VERSION, hello, sizeof(hello));
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (size_t cut = 0; cut <= len; cut++) {
        struct sim *sim = calm();
        struct sim_end *end = sim_connect(sim, &weir_tls_machine, tls);
        assert_int_equal(sim_send(end, hello, cut), 0);
        run(sim);
        assert_open(end);
        if (cut < len)
            assert_int_equal(sim_output(end).len, 0);
        sim_finish(end);
        run(sim);
        assert_closed(end, cut ? -EPROTO : WEIR_DONE);
        sim_free(sim);
    }
    weir_tls_free(tls);
}

static void an_end_without_close_notify_is_no_end_of_file(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct probe probe = {0};
        struct weir_tls *tls = peer_server(&probe_protocol, &probe);
        struct peer peer;
        peer_connect(&peer, calm(), tls, version);
        peer_shake(&peer);
        peer_send(&peer, "abc", 3);
        assert_int_equal(probe.consumed, 3);
        sim_finish(peer.end);
        peer_move(&peer);
        assert_int_equal(probe.eofs, 0);
        assert_int_equal(probe.closes, 1);
        assert_int_equal(probe.why, -EPROTO);
        assert_closed(peer.end, -EPROTO);
        peer_done(&peer);
        weir_tls_free(tls);
    }
}

static int hear_end(struct probe *probe, struct weir_conn *conn, size_t rest)
{
    (void)probe, (void)rest;
    weir_out_copy(weir_conn_out(conn), "after", 5);
    return 0; /* our side stays open */
}

static void half_close_leaves_the_other_half(void **state)
{
    (void)state;
    struct probe probe = {.eof = hear_end};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    peer_shake(&peer);
    SSL_shutdown(peer.ssl);
    assert_int_equal(peer_take(&peer, back, sizeof(back)), 5);
    assert_memory_equal(back, "after", 5);
    assert_false(peer.ended);
    assert_int_equal(probe.eofs, 1);
    weir_conn_finish(probe.conn, WEIR_DONE);
    assert_int_equal(peer_take(&peer, back, sizeof(back)), 0);
    assert_true(peer.ended);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void a_reset_says_no_close_notify(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    peer_shake(&peer);
    weir_conn_reset(probe.conn, -EIO);
    assert_int_equal(peer_take(&peer, back, sizeof(back)), 0);
    assert_false(peer.ended);
    assert_closed(peer.end, -EIO);
    assert_true(sim_was_reset(peer.end));
    peer_done(&peer);
    weir_tls_free(tls);
}

/* The first of these that the client offers; one that offers nothing talks with the usual one. */
static void alpn_chooses_the_inner_protocol(void **state)
{
    (void)state;
    static const struct {
        const char *offer, *agreed;
        unsigned probe;
    } rows[] = {
        {"\x08http/1.1\x02h2", "h2", 0}, {"\x02h2", "h2", 0},
        {"\x08http/1.1", "http/1.1", 2}, {"\x03x/y\x08http/1.1", "http/1.1", 2},
        {"\x03x/y\x02h3", "h3", 1},      {"", "", 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct probe probes[3] = {{0}};
        const struct weir_tls_cert cert = {peer_cert(), peer_key()};
        const struct weir_tls_way ways[] = {{"h2", &probe_protocol, &probes[0]},
                                            {"h3", &probe_protocol, &probes[1]}};
        const struct weir_tls_options options = {.certs = &cert,
                                                 .cert_count = 1,
                                                 .alpn = "http/1.1",
                                                 .protocol = &probe_protocol,
                                                 .config = &probes[2],
                                                 .ways = ways,
                                                 .way_count = 2};
        struct weir_tls *tls;
        struct peer peer;
        char why[200];
        const unsigned char *agreed;
        unsigned len;
        assert_int_equal(weir_tls_new(&options, &tls, why, sizeof(why)), 0);
        peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
        if (*rows[i].offer)
            SSL_set_alpn_protos(peer.ssl, (const uint8_t *)rows[i].offer,
                                (unsigned)strlen(rows[i].offer));
        peer_shake(&peer);
        peer_send(&peer, "abc", 3);
        SSL_get0_alpn_selected(peer.ssl, &agreed, &len);
        assert_int_equal(len, strlen(rows[i].agreed));
        assert_memory_equal(agreed, rows[i].agreed, len);
        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(probes[k].consumed, k == rows[i].probe ? 3 : 0);
        peer_done(&peer);
        weir_tls_free(tls);
    }
}

static void garbage_is_refused(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    const char *texts[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                           "\x16\x03\x01\xff\xff",
                           "\x80\x2e\x01\x03\x01",
                           "SSH-2.0-x\r\n",
                           "\x17\x03\x03\x01\x01 x",
                           "\x15\x03\x03\x01\x02x"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct sim *sim = calm();
        struct sim_end *end = sim_connect(sim, &weir_tls_machine, tls);
        send_text(end, texts[i]);
        sim_finish(end);
        run(sim);
        assert_closed(end, -EPROTO);
        assert_true(sim_output(end).len <= 7); /* an alert, if anything */
        sim_free(sim);
    }
    weir_tls_free(tls);
}

static void a_flipped_bit_ends_it(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (size_t at = 0; at < 40; at++) {
        struct peer peer;
        uint8_t record[100];
        size_t written;
        peer_connect(&peer, calm(), tls, at % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        peer_shake(&peer);
        assert_int_equal(SSL_write_ex(peer.ssl, "twenty bytes of text", 20, &written), 1);
        int n = BIO_read(peer.out, record, sizeof(record));
        assert_true(n > 40);
        record[at] ^= 0x41;
        assert_int_equal(sim_send(peer.end, record, (size_t)n), 0);
        sim_finish(peer.end);
        assert_int_equal(peer_take(&peer, back, sizeof(back)), 0);
        assert_closed(peer.end, -EPROTO);
        peer_done(&peer);
    }
    weir_tls_free(tls);
}

static void a_silent_peer_has_ten_seconds(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    run(peer.sim);
    wait_ms(peer.sim, 9999);
    assert_open(peer.end);
    wait_ms(peer.sim, 1);
    assert_closed(peer.end, -ETIMEDOUT);
    assert_int_equal(probe.opens, 0);
    peer_done(&peer);
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    peer_shake(&peer);
    wait_ms(peer.sim, 3600 * 1000); /* from now on the inner one says */
    assert_open(peer.end);
    peer_done(&peer);
    weir_tls_free(tls);
}

static int arm_second(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + WEIR_NS_PER_S);
    return 0;
}

static void deadlines_wakes_and_leaves_pass(void **state)
{
    (void)state;
    struct probe probe = {.open = arm_second};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    peer_shake(&peer);
    wait_ms(peer.sim, 1000);
    assert_int_equal(probe.expires, 1);
    weir_out_copy(weir_conn_out(probe.conn), "news", 4);
    weir_conn_wake(probe.conn);
    assert_int_equal(peer_take(&peer, back, sizeof(back)), 4);
    sim_leave(peer.sim, WEIR_LEAVE_STOP);
    run(peer.sim);
    assert_int_equal(probe.leaves, 1);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void a_leave_in_a_handshake_waits_for_its_end(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    uint8_t hello[4096];
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    (void)SSL_do_handshake(peer.ssl);
    int n = BIO_read(peer.out, hello, sizeof(hello));
    assert_int_equal(sim_send(peer.end, hello, 100), 0);
    run(peer.sim);
    sim_leave(peer.sim, WEIR_LEAVE_STOP);
    run(peer.sim);
    assert_open(peer.end);
    assert_int_equal(sim_send(peer.end, hello + 100, (size_t)n - 100), 0);
    peer_shake(&peer);
    assert_int_equal(probe.leaves, 1);
    peer_done(&peer);
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    run(peer.sim);
    sim_leave(peer.sim, WEIR_LEAVE_STOP); /* nobody has said a word */
    run(peer.sim);
    assert_closed(peer.end, WEIR_DONE);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void a_slow_handshake_makes_room_when_others_wait(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (unsigned late = 0; late < 2; late++) {
        struct peer peer;
        uint8_t hello[4096];
        peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
        (void)SSL_do_handshake(peer.ssl);
        int n = BIO_read(peer.out, hello, sizeof(hello));
        assert_int_equal(sim_send(peer.end, hello, 100), 0);
        wait_ms(peer.sim, 3000);
        assert_true(weir_conn_resting(sim_conn(peer.end))); /* so that it can be asked */
        sim_leave(peer.sim, WEIR_LEAVE_BUSY);
        wait_ms(peer.sim, 999);
        assert_open(peer.end);
        if (late) {
            wait_ms(peer.sim, 1);
            assert_closed(peer.end, -ETIMEDOUT);
        } else {
            assert_int_equal(sim_send(peer.end, hello + 100, (size_t)n - 100), 0);
            peer_shake(&peer);
        }
        peer_done(&peer);
    }
    weir_tls_free(tls);
}

struct source {
    int fd;
    size_t len;
};

static ssize_t answer_with_file(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                                size_t len)
{
    (void)bytes;
    const struct source *source = probe->arg;
    weir_out_copy(weir_conn_out(conn), "head ", 5);
    weir_out_file(weir_conn_out(conn), source->fd, 0, source->len, NULL);
    weir_out_bytes(weir_conn_out(conn), " tail", 5, NULL);
    return (ssize_t)len;
}

/* Records of content since `from`, and the longest of them. */
static unsigned count_records(const struct sim_end *end, size_t from, size_t *out_longest)
{
    struct weir_bytes output = sim_output(end);
    unsigned count = 0;
    *out_longest = 0;
    for (size_t at = from; at + 5 <= output.len; count++) {
        size_t len = (size_t)(uint8_t)output.at[at + 3] << 8 | (uint8_t)output.at[at + 4];
        assert_int_equal(output.at[at], 23);
        *out_longest = len > *out_longest ? len : *out_longest;
        at += 5 + len;
    }
    return count;
}

static void a_small_reply_is_one_record_and_a_large_one_begins_small(void **state)
{
    (void)state;
    const size_t lens[] = {100, 4000, 6000, 150000};
    for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
        for (uint64_t seed = 0; seed < 8; seed++) {
            struct source source = {.len = lens[i]};
            struct probe probe = {.input = answer_with_file, .arg = &source};
            struct weir_tls *tls = peer_server(&probe_protocol, &probe);
            struct peer peer;
            size_t longest;
            peer_connect(&peer, seed ? rough(seed) : calm(), tls, TLS1_3_VERSION);
            source.fd = sim_file(peer.sim, text, sizeof(text));
            peer_shake(&peer);
            size_t from = peer.read;
            peer_send(&peer, "?", 1);
            assert_int_equal(peer_take(&peer, back, sizeof(back)), lens[i] + 10);
            assert_memory_equal(back + 5, text, lens[i]);
            assert_memory_equal(back + 5 + lens[i], " tail", 5);
            unsigned count = count_records(peer.end, from, &longest);
            if (lens[i] <= 4000 && seed == 0)
                assert_int_equal(count, 1);
            if (lens[i] == 6000)
                assert_true(longest <= 1417);
            if (lens[i] == 150000)
                assert_true(longest > 16000);
            peer_done(&peer);
            weir_tls_free(tls);
        }
    }
}

static void a_file_that_got_shorter_is_no_good_end(void **state)
{
    (void)state;
    struct source source = {.len = 50000};
    struct probe probe = {.input = answer_with_file, .arg = &source};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    source.fd = sim_file(peer.sim, text, 30000);
    peer_shake(&peer);
    peer_send(&peer, "?", 1);
    assert_int_equal(peer_take(&peer, back, sizeof(back)), 30005);
    assert_false(peer.ended);
    assert_closed(peer.end, -EIO);
    peer_done(&peer);
    weir_tls_free(tls);
}

static ssize_t much_for_a_byte(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                               size_t len)
{
    (void)probe, (void)bytes, (void)len;
    weir_out_bytes(weir_conn_out(conn), text, 60000, NULL);
    return 1;
}

static void back_pressure_reaches_the_peer(void **state)
{
    (void)state;
    struct probe probe = {.input = much_for_a_byte};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    peer_shake(&peer);
    sim_window(peer.end, 0);
    for (int i = 0; i < 10; i++)
        peer_send(&peer, "x", 1);
    assert_true(probe.inputs <= 5);
    assert_true(sim_unread(peer.end) > 0);
    sim_window(peer.end, UINT64_MAX);
    size_t all = 0, n;
    while ((n = peer_take(&peer, back, sizeof(back))) > 0)
        all += n;
    assert_int_equal(all, 600000);
    assert_int_equal(probe.inputs, 10);
    peer_done(&peer);
    weir_tls_free(tls);
}

static ssize_t pause_first(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                           size_t len)
{
    (void)bytes;
    if (probe->inputs > 1)
        return (ssize_t)len;
    weir_conn_pause(conn);
    probe->paused = true;
    return 0;
}

static void a_pause_holds_the_peer_back(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_first};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    peer_shake(&peer);
    for (int i = 0; i < 5; i++)
        peer_send(&peer, "abc", 3);
    assert_int_equal(probe.inputs, 1);
    assert_true(sim_unread(peer.end) > 0);
    SSL_shutdown(peer.ssl);
    peer_move(&peer);
    sim_finish(peer.end);
    run(peer.sim);
    probe.paused = false;
    weir_conn_resume(probe.conn);
    run(peer.sim);
    assert_int_equal(probe.consumed, 15);
    assert_int_equal(probe.eofs, 1);
    peer_done(&peer);
    weir_tls_free(tls);
}

static void no_renegotiation_and_nothing_old(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_2_VERSION);
    peer_shake(&peer);
    SSL_renegotiate(peer.ssl);
    (void)SSL_do_handshake(peer.ssl);
    peer_move(&peer);
    assert_int_equal(SSL_get_state(peer.ssl) == TLS_ST_OK && SSL_num_renegotiations(peer.ssl) > 0 &&
                         SSL_do_handshake(peer.ssl) == 1,
                     0);
    peer_done(&peer);
    peer_connect(&peer, calm(), tls, TLS1_1_VERSION);
    SSL_CTX_set_security_level(peer.ctx, 0);
    peer_move(&peer);
    assert_false(SSL_is_init_finished(peer.ssl));
    peer_done(&peer);
    weir_tls_free(tls);
}

static void at_rest_it_says_so(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    run(peer.sim);
    assert_true(weir_conn_resting(sim_conn(peer.end)));
    peer_shake(&peer);
    assert_true(weir_conn_resting(sim_conn(peer.end)));
    peer_done(&peer);
    weir_tls_free(tls);
}

/* Each of our own allocations fails in turn; OpenSSL's own go another way. */
static void no_memory_ends_it_and_nothing_leaks(void **state)
{
    (void)state;
    struct weir_tls *tls = peer_server(&weir_echo, NULL);
    for (unsigned long n = 0; n < 60; n++) {
        struct peer peer;
        peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
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
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 31 + i / 251);
    return 0;
}

#define SLOW_BYTES 50000

/* A peer that takes 1000 bytes of a last answer for now. */
static struct weir_tls *peer_slow(struct peer *peer, struct probe *probe)
{
    struct weir_tls *tls = peer_server(&probe_protocol, probe);
    peer_connect(peer, calm(), tls, TLS1_3_VERSION);
    peer_shake(peer);
    peer_send(peer, "abc", 3);
    sim_window(peer->end, 1000);
    weir_out_copy(weir_conn_out(probe->conn), text, SLOW_BYTES);
    return tls;
}

/* The inner connection is closed, and the peer takes its last answer slowly and steadily: nothing of it is due any more. */
static void a_last_answer_is_taken_slowly(void **state)
{
    struct probe probe = {0};
    struct peer peer;
    (void)state;
    struct weir_tls *tls = peer_slow(&peer, &probe);
    weir_conn_finish(probe.conn, WEIR_DONE);
    run(peer.sim);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sim_wait(peer.sim, 4 * WEIR_NS_PER_S), 0); /* -ELOOP: it spins */
        sim_window(peer.end, 1000);
        run(peer.sim);
    }
    peer_done(&peer);
    weir_tls_free(tls);
}

static ssize_t answer_and_finish(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                                 size_t len)
{
    ssize_t n = answer_with_file(probe, conn, bytes, len);
    weir_conn_finish(conn, WEIR_DONE);
    return n;
}

/* The inner connection was closing already when its file turned out too short: its own time for that means nothing any more. */
static void a_short_last_answer_is_taken_slowly(void **state)
{
    (void)state;
    struct source source = {.len = 50000};
    struct probe probe = {.input = answer_and_finish, .arg = &source};
    struct weir_tls *tls = peer_server(&probe_protocol, &probe);
    struct peer peer;
    peer_connect(&peer, calm(), tls, TLS1_3_VERSION);
    source.fd = sim_file(peer.sim, text, 30000);
    peer_shake(&peer);
    sim_window(peer.end, 1000);
    peer_send(&peer, "?", 1);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sim_wait(peer.sim, 4 * WEIR_NS_PER_S), 0); /* -ELOOP: it spins */
        assert_open(peer.end);
        sim_window(peer.end, 1000);
        run(peer.sim);
    }
    assert_int_equal(probe.closes, 1); /* as soon as nothing of it could be sent any more */
    peer_done(&peer);
    weir_tls_free(tls);
}

/* It lingers for two seconds from the moment on at which all is with the system, and not before: a peer that pauses loses nothing. */
static void lingering_begins_when_all_is_sent(void **state)
{
    struct probe probe = {0};
    struct peer peer;
    (void)state;
    struct weir_tls *tls = peer_slow(&peer, &probe);
    weir_conn_linger(probe.conn, WEIR_DONE, 65536, 2000);
    run(peer.sim);
    assert_int_equal(sim_wait(peer.sim, 5 * WEIR_NS_PER_S), 0);
    sim_window(peer.end, UINT64_MAX);
    run(peer.sim);
    assert_int_equal(peer_take(&peer, back, sizeof(back)), SLOW_BYTES);
    assert_memory_equal(back, text, SLOW_BYTES);
    assert_true(peer.ended);
    int why;
    assert_int_equal(sim_wait(peer.sim, 1900 * WEIR_NS_PER_MS), 0);
    assert_false(sim_closed(peer.end, &why));
    assert_int_equal(sim_wait(peer.sim, 200 * WEIR_NS_PER_MS), 0);
    assert_true(sim_closed(peer.end, &why));
    peer_done(&peer);
    weir_tls_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_last_answer_is_taken_slowly),
        cmocka_unit_test(a_short_last_answer_is_taken_slowly),
        cmocka_unit_test(lingering_begins_when_all_is_sent),
        cmocka_unit_test(bytes_pass_both_ways_at_every_cut),
        cmocka_unit_test(a_hello_may_be_cut_anywhere),
        cmocka_unit_test(an_end_without_close_notify_is_no_end_of_file),
        cmocka_unit_test(half_close_leaves_the_other_half),
        cmocka_unit_test(a_reset_says_no_close_notify),
        cmocka_unit_test(alpn_chooses_the_inner_protocol),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(a_flipped_bit_ends_it),
        cmocka_unit_test(a_silent_peer_has_ten_seconds),
        cmocka_unit_test(deadlines_wakes_and_leaves_pass),
        cmocka_unit_test(a_leave_in_a_handshake_waits_for_its_end),
        cmocka_unit_test(a_slow_handshake_makes_room_when_others_wait),
        cmocka_unit_test(a_small_reply_is_one_record_and_a_large_one_begins_small),
        cmocka_unit_test(a_file_that_got_shorter_is_no_good_end),
        cmocka_unit_test(back_pressure_reaches_the_peer),
        cmocka_unit_test(a_pause_holds_the_peer_back),
        cmocka_unit_test(no_renegotiation_and_nothing_old),
        cmocka_unit_test(at_rest_it_says_so),
        cmocka_unit_test(no_memory_ends_it_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, make_text, NULL);
}
