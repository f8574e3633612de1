/* Promises about peers: one that is killed in any instruction, and who it is. */
#include "promises.h"

/* A fork and two threads each: sanitizers take ten times as long over them. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ROUNDS 20
#endif
#endif
#ifndef ROUNDS
#define ROUNDS 60
#endif

/* --- killed: the ends divided between two processes --- */

static void fill(uint8_t *bytes, size_t len, size_t place)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(place + i);
}

static void check(const uint8_t *bytes, ssize_t len, size_t place)
{
    for (ssize_t i = 0; i < len; i++)
        if (bytes[i] != byte_at(place + (size_t)i))
            fail_msg("wrong byte at %zu", place + (size_t)i);
}

enum use { WRITES, READS, SENDS_BACK };

/* Until it is killed; each call of another size, now and then a nap, so that the other side sleeps. */
static _Noreturn void use_for_ever(struct weir_stream *s, enum use use)
{
    uint8_t bytes[3000];
    uint32_t seed = (uint32_t)getpid();
    for (size_t have = 0;;) {
        size_t len = next_random(&seed) % sizeof(bytes) + 1;
        ssize_t n = (ssize_t)len;
        if (use == WRITES)
            fill(bytes, len, have);
        else
            n = weir_read(s, bytes, len);
        if (n <= 0 || (use != READS && weir_write_all(s, bytes, (size_t)n) < 0))
            _exit(1);
        have += (size_t)n;
        if (next_random(&seed) % 64 == 0)
            nap_us(30);
    }
}

/* All that comes is right, and then comes the end: with bytes of ours unread there, a socket calls it a reset. */
static void read_to_the_end(struct weir_stream *s, bool reset)
{
    uint8_t bytes[5000];
    size_t have = 0;
    ssize_t n;
    while ((n = weir_read(s, bytes, sizeof(bytes))) > 0) {
        check(bytes, n, have);
        have += (size_t)n;
    }
    assert_true(n == 0 || (reset && n == -ECONNRESET));
    assert_int_equal(weir_read(s, bytes, 1), 0);
}

static void *write_to_the_end(void *arg)
{
    uint8_t bytes[5000];
    ssize_t n;
    size_t have = 0;
    do {
        fill(bytes, sizeof(bytes), have);
        n = weir_write(arg, bytes, sizeof(bytes));
        have += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    return (void *)n;
}

static void assert_written_to_the_end(struct weir_stream *s)
{
    assert_int_equal((intptr_t)write_to_the_end(s), -EPIPE);
    assert_int_equal(weir_write(s, "x", 1), -EPIPE);
}

static void survive(struct weir_stream *s, enum use peer, bool two_way)
{
    pthread_t thread;
    void *result;
    switch (peer) {
    case WRITES:
        read_to_the_end(s, false);
        if (two_way)
            assert_written_to_the_end(s);
        break;
    case READS:
        assert_written_to_the_end(s);
        break;
    case SENDS_BACK:
        assert_int_equal(pthread_create(&thread, NULL, write_to_the_end, s), 0);
        read_to_the_end(s, true);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, -EPIPE);
        break;
    }
}

static void killed_at(const struct kind *kind, uint32_t *seed, enum use use)
{
    struct ends e;
    struct killer k = {.us = (long)(next_random(seed) % 1200)};
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    struct weir_stream *mine = use == WRITES ? e.reader : e.writer;
    struct weir_stream *other = use == WRITES ? e.writer : e.reader;
    k.pid = start();
    if (k.pid == 0) {
        weir_close(mine);
        use_for_ever(other, use);
    }
    weir_close(other);
    killer_start(&k);
    survive(mine, use, kind->two_way);
    killer_done(&k);
    weir_close(mine);
}

static void as_if_it_had_closed(const struct kind *kind)
{
    uint32_t seed = (uint32_t)getpid();
    for (int i = 0; i < ROUNDS; i++) {
        killed_at(kind, &seed, WRITES);
        killed_at(kind, &seed, READS);
        if (kind->two_way)
            killed_at(kind, &seed, SENDS_BACK);
    }
}

/* --- killed: who has not said that it ends --- */

/* The one that writes is a process of its own from the start: what it shares with nobody ends with it. */
static void cut_off_at(const char *host, uint32_t *seed)
{
    struct killer k = {.us = (long)(next_random(seed) % 20000)};
    struct weir_stream *reader;
    uint8_t bytes[5000];
    size_t have = 0;
    ssize_t n;
    struct weir_listener *listener = listen_tcp(host);
    (void)tls_server(); /* its files are the parent's */
    k.pid = start();
    if (k.pid == 0) {
        struct weir_stream *s;
        _exit(weir_open(tls_name(listener), 0, PATIENCE_MS, &s) < 0 ? 2
                                                                    : (use_for_ever(s, WRITES), 1));
    }
    reader = accept_tls(listener);
    weir_listener_close(listener);
    assert_non_null(reader);
    weir_set_timeout(reader, PATIENCE_MS);
    killer_start(&k);
    while ((n = weir_read(reader, bytes, sizeof(bytes))) > 0) {
        check(bytes, n, have);
        have += (size_t)n;
    }
    /* It had not read what TLS itself tells a client (tickets): to the kernel those are bytes unread. */
    assert_true(n == -EPROTO || n == -ECONNRESET);
    assert_int_equal(weir_read(reader, bytes, 1), n);
    assert_written_to_the_end(reader);
    killer_done(&k);
    weir_close(reader);
}

static void cut_off_is_no_end(const struct kind *kind)
{
    uint32_t seed = (uint32_t)getpid();
    for (int i = 0; i < ROUNDS / 4; i++)
        cut_off_at(kind->open == open_tls6 ? "tcp:[::1]:0" : "tcp:127.0.0.1:0", &seed);
}

/* --- killed: a child program --- */

static void child_killed_at(const char *command, bool writes, uint32_t *seed)
{
    struct weir_stream *s;
    struct weir_peer peer;
    char bytes[4096];
    ssize_t n;
    assert_int_equal(weir_open(command, 0, 0, &s), 0);
    weir_set_timeout(s, PATIENCE_MS);
    assert_int_equal(weir_peer(s, &peer), 0);
    nap_us((long)(next_random(seed) % 1500));
    kill(peer.pid, SIGKILL);
    int64_t before = now_ms();
    if (writes)
        while ((n = weir_read_full(s, bytes, sizeof(bytes))) > 0)
            for (ssize_t i = 0; i < n; i++)
                assert_int_equal(bytes[i], i % 2 ? '\n' : 'y');
    else
        while ((n = weir_write(s, bytes, sizeof(bytes))) > 0)
            ;
    assert_int_equal(n, writes ? 0 : -EPIPE);
    assert_true(now_ms() - before < PROMPT_MS);
    assert_int_equal(weir_close(s), WEIR_SIGNALLED + SIGKILL);
}

static void and_its_status_says_so(const struct kind *kind)
{
    uint32_t seed = (uint32_t)getpid();
    (void)kind;
    for (int i = 0; i < ROUNDS / 2; i++) {
        child_killed_at("exec:yes", true, &seed);
        child_killed_at("exec:dd of=/dev/null status=none", false, &seed);
    }
}

/* --- killed: whoever wrote or read a file --- */

static void what_it_wrote_is_there(const struct kind *kind)
{
    uint32_t seed = (uint32_t)getpid();
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct ends e;
        struct killer k = {.us = (long)(next_random(&seed) % 1200)};
        kind->open(&e);
        k.pid = start();
        if (k.pid == 0)
            use_for_ever(e.writer, WRITES);
        killer_start(&k);
        pthread_join(k.thread, NULL);
        assert_int_equal(end_of(k.pid), -SIGKILL);
        read_to_the_end(e.reader, false);
        assert_int_equal(weir_write_all(e.writer, "x", 1), 0);
        close_ends(&e);
    }
}

/* --- who it is --- */

static struct weir_peer peer_of(const struct weir_stream *s)
{
    struct weir_peer peer;
    assert_int_equal(weir_peer(s, &peer), 0);
    return peer;
}

static void assert_nobody(const struct weir_stream *s, const char *text)
{
    struct weir_peer peer = peer_of(s);
    assert_string_equal(peer.text, text);
    assert_int_equal(peer.pid, -1);
    assert_int_equal(peer.uid, (uid_t)-1);
    assert_int_equal(peer.port, 0);
}

static void assert_this_process(const struct weir_stream *s)
{
    struct weir_peer peer = peer_of(s);
    assert_int_equal(peer.pid, getpid());
    assert_int_equal(peer.uid, getuid());
    assert_int_equal(peer.gid, getgid());
    assert_int_equal(peer.port, 0);
}

static void known_by_address_and_port(const struct kind *kind)
{
    struct ends e;
    char tuple[160];
    char expected[320];
    kind->open(&e);
    struct weir_peer client = peer_of(e.reader);
    struct weir_peer server = peer_of(e.writer);
    bool v6 = kind->open == open_tcp6 || kind->open == open_tls6;
    assert_string_equal(client.text, v6 ? "[::1]" : "127.0.0.1");
    assert_string_equal(client.text, server.text);
    assert_true(client.port > 0 && server.port > 0);
    assert_int_equal(client.pid, -1);
    assert_int_equal(weir_tuple(e.reader, tuple, sizeof(tuple)), 0);
    snprintf(expected, sizeof(expected), "tcp %s:%u -> %s:%u", server.text, server.port,
             client.text, client.port);
    assert_string_equal(tuple, expected);
    close_ends(&e);
}

static void known_by_ids(const struct kind *kind)
{
    struct ends e;
    kind->open(&e);
    assert_this_process(e.writer);
    assert_this_process(e.reader);
    close_ends(&e);
}

/* The one that connected knows where the other listens. */
static void known_by_ids_and_path(const struct kind *kind)
{
    struct ends e;
    const char *scheme = kind->open == open_abstract ? "unix:@/tmp/" : "unix:/tmp/";
    if (kind->open == open_shm_by_name)
        scheme = "shm:/tmp/";
    known_by_ids(kind);
    kind->open(&e);
    if (kind->open != open_shm)
        assert_int_equal(strncmp(peer_of(e.writer).text, scheme, strlen(scheme)), 0);
    close_ends(&e);
}

static void not_known(const struct kind *kind)
{
    struct ends e;
    kind->open(&e);
    assert_nobody(e.reader, kind->open == open_file ? "file" : "pipe");
    assert_nobody(e.writer, kind->open == open_file ? "file" : "pipe");
    close_ends(&e);
}

static void known_by_pid_and_name(const struct kind *kind)
{
    struct ends e;
    kind->open(&e);
    struct weir_peer peer = peer_of(e.writer);
    assert_string_equal(peer.text, "exec:cat");
    assert_int_equal(kill(peer.pid, 0), 0);
    assert_int_equal(weir_end(e.writer), 0);
    assert_int_equal(close_ends(&e), 0);
}

static void known_as_what_it_leads_to(const struct kind *kind)
{
    kind->two_way ? known_by_ids(kind) : not_known(kind);
}

static const struct cell cells[] = {
    CELL("tcp", "peer killed", "like a close", as_if_it_had_closed),
    CELL("tcp", "peer known by", "address, port", known_by_address_and_port),

    CELL("tls", "peer killed", "-EPROTO, no end", cut_off_is_no_end),
    CELL("tls", "peer known by", "address, port", known_by_address_and_port),

    CELL("unix", "peer killed", "like a close", as_if_it_had_closed),
    CELL("unix", "peer known by", "pid, uid, gid; path", known_by_ids_and_path),

    CELL("socketpair", "peer killed", "like a close", as_if_it_had_closed),
    CELL("socketpair", "peer known by", "pid, uid, gid", known_by_ids),

    CELL("shm", "peer killed", "like a close, in 1 ms", as_if_it_had_closed),
    CELL("shm", "peer known by", "pid, uid, gid; path", known_by_ids_and_path),

    CELL("pipe", "peer killed", "like a close", as_if_it_had_closed),
    CELL("pipe", "peer known by", "nothing", not_known),

    CELL("named pipe", "peer killed", "like a close", as_if_it_had_closed),
    CELL("named pipe", "peer known by", "nothing", not_known),

    CELL("exec", "peer killed", "like a close; status", and_its_status_says_so),
    CELL("exec", "peer known by", "pid, name", known_by_pid_and_name),

    CELL("file", "peer killed", "nothing changes", what_it_wrote_is_there),
    CELL("file", "peer known by", "nothing", not_known),

    CELL("fd", "peer killed", "like a close", as_if_it_had_closed),
    CELL("fd", "peer known by", "as it leads to", known_as_what_it_leads_to),
};

int main(void)
{
    return run_cells("peers", cells, sizeof(cells) / sizeof(cells[0]));
}
