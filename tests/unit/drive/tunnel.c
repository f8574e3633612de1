/* TLS behind a stream: what its descriptors tell, what waits inside, and what hostile servers get. */
#include "../stream/children.h"
#include "../stream/tls_ends.h"
#include "tbl/limits.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

static bool is_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1 && p.revents & POLLIN;
}

/* --- descriptors --- */

static void what_lies_inside_is_told(void **state)
{
    struct ends e;
    char bytes[300];
    (void)state;
    open_tls4(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(weir_read_fd(e.reader) == weir_write_fd(e.reader), false);
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(weir_write_all(e.writer, bytes, sizeof(bytes)), 0);
    assert_true(is_readable(weir_read_fd(e.reader), PATIENCE_MS));
    /* One record: all of it is off the socket after the first byte. */
    for (size_t i = 0; i < sizeof(bytes); i++) {
        assert_true(is_readable(weir_read_fd(e.reader), 0));
        assert_int_equal(weir_read(e.reader, bytes, 1), 1);
    }
    weir_set_timeout(e.reader, 0);
    assert_int_equal(weir_read(e.reader, bytes, 1), -ETIMEDOUT);
    assert_false(is_readable(weir_read_fd(e.reader), 30));
    close_ends(&e);
}

/* What a write took and the socket did not goes out when the stream is only waited on and read. */
static void what_waits_goes_out_while_reading(void **state)
{
    struct ends e;
    static char block[65536];
    size_t sent = 0, got = 0;
    ssize_t n;
    (void)state;
    open_tls4(&e);
    set_timeouts(&e, 0);
    while ((n = weir_write(e.writer, block, sizeof(block))) > 0)
        sent += (size_t)n;
    assert_int_equal(n, -ETIMEDOUT);
    assert_false(is_readable(weir_write_fd(e.writer), 0));
    int64_t end = now_ms() + PATIENCE_MS;
    while (got < sent && now_ms() < end) {
        n = weir_read(e.reader, block, sizeof(block));
        got += n > 0 ? (size_t)n : 0;
        if (is_readable(weir_read_fd(e.writer), 0))
            assert_int_equal(weir_read(e.writer, block, sizeof(block)), -ETIMEDOUT);
    }
    assert_int_equal(got, sent);
    assert_true(is_readable(weir_write_fd(e.writer), PATIENCE_MS));
    close_ends(&e);
}

/* Both write more than all queues hold before either reads. */
static void *write_much(void *arg)
{
    static const char block[65536];
    for (int i = 0; i < 200; i++)
        if (weir_write_all(arg, block, sizeof(block)) < 0)
            return arg;
    return weir_end(arg) < 0 ? arg : NULL;
}

static size_t read_all(struct weir_stream *s)
{
    static char block[65536];
    size_t got = 0;
    ssize_t n;
    while ((n = weir_read(s, block, sizeof(block))) > 0)
        got += (size_t)n;
    assert_int_equal(n, 0);
    return got;
}

static void a_full_way_there_does_not_hold_up_the_way_back(void **state)
{
    struct ends e;
    pthread_t there, back;
    void *failed;
    (void)state;
    open_tls4(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(pthread_create(&there, NULL, write_much, e.writer), 0);
    assert_int_equal(pthread_create(&back, NULL, write_much, e.reader), 0);
    nap_ms(50); /* both are stuck by now */
    assert_int_equal(read_all(e.writer), 200 * 65536);
    assert_int_equal(read_all(e.reader), 200 * 65536);
    pthread_join(there, &failed);
    assert_null(failed);
    pthread_join(back, &failed);
    assert_null(failed);
    assert_int_equal(close_ends(&e), 0);
}

/* What was written last, and the end, are there though nobody has read the server's own (its tickets). */
static void a_close_right_after_a_write_loses_nothing(void **state)
{
    char bytes[16];
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct ends e;
        open_tls4(&e);
        assert_int_equal(weir_write_all(e.writer, "last words", 10), 0);
        assert_int_equal(weir_close(e.writer), 0);
        weir_set_timeout(e.reader, PATIENCE_MS);
        assert_int_equal(weir_read_full(e.reader, bytes, sizeof(bytes)), 10);
        assert_int_equal(weir_read(e.reader, bytes, 1), 0);
        weir_close(e.reader);
    }
}

/* A copy that a child closes says nothing in its parent's name. */
static void a_forked_copy_is_only_closed(void **state)
{
    struct ends e;
    char bytes[8];
    (void)state;
    open_tls4(&e);
    set_timeouts(&e, PATIENCE_MS);
    pid_t child = start();
    if (child == 0)
        _exit(weir_close(e.writer) == 0 ? 0 : 1);
    assert_int_equal(end_of(child), 0);
    assert_int_equal(weir_write_all(e.writer, "still", 5), 0);
    assert_int_equal(weir_read_full(e.reader, bytes, 5), 5);
    close_ends(&e);
}

static void it_copies_like_any_stream(void **state)
{
    struct ends e;
    struct weir_stream *file, *back;
    uint64_t count = 0;
    char bytes[16];
    (void)state;
    const char *name = fresh_name("file:");
    open_tls4(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE, 0, &file), 0);
    assert_int_equal(weir_write_all(file, "a whole file", 12), 0);
    assert_int_equal(weir_close(file), 0);
    assert_int_equal(weir_open(name, WEIR_READ, 0, &file), 0);
    assert_int_equal(weir_copy(file, e.writer, &count, NULL), 0);
    assert_int_equal(count, 12);
    assert_int_equal(weir_end(e.writer), 0);
    assert_int_equal(weir_close(file), 0);
    name = fresh_name("file:");
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE, 0, &back), 0);
    assert_int_equal(weir_copy(e.reader, back, &count, NULL), 0);
    assert_int_equal(count, 12);
    assert_int_equal(weir_close(back), 0);
    assert_int_equal(weir_open(name, WEIR_READ, 0, &back), 0);
    assert_int_equal(weir_read_full(back, bytes, sizeof(bytes)), 12);
    assert_memory_equal(bytes, "a whole file", 12);
    assert_int_equal(weir_close(back), 0);
    assert_int_equal(close_ends(&e), 0);
}

/* --- servers that are not what they should be --- */

struct server {
    struct weir_listener *listener;
    void (*talk)(int fd);
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct server *server = arg;
    struct weir_stream *s;
    struct timeval limit = {.tv_sec = 5};
    sigset_t pipe; /* OpenSSL writes as anybody would */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    if (weir_accept(server->listener, PATIENCE_MS, &s) < 0)
        return arg;
    setsockopt(weir_read_fd(s), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(weir_read_fd(s), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    server->talk(weir_read_fd(s));
    weir_close(s);
    return NULL;
}

static int open_at(void (*talk)(int fd), const char *words, int timeout_ms, char why[300])
{
    struct server server = {.listener = listen_tcp("tcp:127.0.0.1:0"), .talk = talk};
    struct weir_stream *s;
    char name[400];
    void *failed;
    snprintf(name, sizeof(name), "%s%s", tls_name(server.listener), words);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
    int rc = weir_open_why(name, 0, timeout_ms, &s, why, 300);
    if (rc == 0)
        weir_close(s);
    pthread_join(server.thread, &failed);
    assert_null(failed);
    weir_listener_close(server.listener);
    return rc;
}

static void hear_hello(int fd)
{
    char bytes[2000];
    assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
}

static void say_http(int fd)
{
    hear_hello(fd);
    (void)!send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL);
}

static void close_at_once(int fd)
{
    hear_hello(fd);
}

static void stay_silent(int fd)
{
    char byte;
    hear_hello(fd);
    (void)!recv(fd, &byte, 1, 0);
}

/* A record's head that promises 16 KiB, and bytes without end. */
static void flood(int fd)
{
    static char block[65536] = {0x16, 3, 3, 0x40, 0};
    hear_hello(fd);
    for (int i = 0; i < 1000; i++)
        if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0)
            return;
}

static void lie_about_length(int fd)
{
    hear_hello(fd);
    (void)!send(fd, "\x16\x03\x03\xff\xff", 5, MSG_NOSIGNAL);
    stay_silent(fd);
}

static void begin_and_stop(int fd)
{
    hear_hello(fd);
    (void)!send(fd, "\x16\x03\x03\x00\x7a\x02", 6, MSG_NOSIGNAL);
}

static void hostile_servers_are_told_apart(void **state)
{
    static const struct {
        void (*talk)(int fd);
        int timeout_ms, rc;
        const char *words;
    } rows[] = {
        {say_http, PATIENCE_MS, -EPROTO, "what it answers is no TLS"},
        {close_at_once, PATIENCE_MS, -EPROTO, "without a word of TLS"},
        {stay_silent, 200, -ETIMEDOUT, "does it speak TLS"},
        {flood, PATIENCE_MS, -EPROTO, ""},
        {lie_about_length, PATIENCE_MS, -EPROTO, "what it answers is no TLS"},
        {begin_and_stop, PATIENCE_MS, -EPROTO, "in the middle of the handshake"},
    };
    char why[300];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(open_at(rows[i].talk, "", rows[i].timeout_ms, why), rows[i].rc);
        if (!strstr(why, rows[i].words))
            fail_msg("%zu: %s", i, why);
    }
}

/* The server's side of TLS by OpenSSL, with the certificate of all tests. */
static SSL *shake(int fd, SSL_CTX **out_ctx)
{
    *out_ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(*out_ctx, cert_file());
    SSL_CTX_use_PrivateKey_file(*out_ctx, cert_key_file(), SSL_FILETYPE_PEM);
    SSL *ssl = SSL_new(*out_ctx);
    SSL_set_fd(ssl, fd);
    (void)SSL_accept(ssl);
    return ssl;
}

static void unshake(SSL *ssl, SSL_CTX *ctx)
{
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void speak_tls(int fd)
{
    SSL_CTX *ctx;
    char byte;
    SSL *ssl = shake(fd, &ctx);
    (void)SSL_read(ssl, &byte, 1);
    unshake(ssl, ctx);
}

static void who_it_is_not(void **state)
{
    char why[300];
    (void)state;
    assert_int_equal(open_at(speak_tls, "", PATIENCE_MS, why), 0);
    assert_int_equal(open_at(speak_tls, "&name=other.example", PATIENCE_MS, why), -EACCES);
    assert_string_equal(why, "its certificate is not for other.example but for localhost, "
                             "127.0.0.1, 0:0:0:0:0:0:0:1");
    assert_int_equal(open_at(speak_tls, "&name=other.example&insecure", PATIENCE_MS, why), 0);
    assert_int_equal(open_at(speak_tls, "&alpn=h2", PATIENCE_MS, why), -ENOPROTOOPT);
    assert_non_null(strstr(why, "ALPN"));
    assert_int_equal(open_at(speak_tls, "&alpn=http/1.1", PATIENCE_MS, why), 0);
}

/* Half of what was to be said, and the line is cut: by an end, or by bytes that are no record of ours. */
static void cut_after_half(int fd)
{
    SSL_CTX *ctx;
    SSL *ssl = shake(fd, &ctx);
    (void)SSL_write(ssl, "half", 4);
    unshake(ssl, ctx);
}

static void forge_after_half(int fd)
{
    SSL_CTX *ctx;
    SSL *ssl = shake(fd, &ctx);
    (void)SSL_write(ssl, "half", 4);
    (void)!send(fd, "\x17\x03\x03\x00\x20 this is no record of anybody's.", 37, MSG_NOSIGNAL);
    unshake(ssl, ctx);
}

static void end_as_it_should(int fd)
{
    SSL_CTX *ctx;
    SSL *ssl = shake(fd, &ctx);
    (void)SSL_write(ssl, "half", 4);
    (void)SSL_shutdown(ssl);
    unshake(ssl, ctx);
}

static void read_after(void (*talk)(int fd), int end, const char *words)
{
    struct server server = {.listener = listen_tcp("tcp:127.0.0.1:0"), .talk = talk};
    struct weir_stream *s;
    char bytes[16];
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
    assert_int_equal(weir_open(tls_name(server.listener), 0, PATIENCE_MS, &s), 0);
    weir_set_timeout(s, PATIENCE_MS);
    assert_int_equal(weir_read(s, bytes, sizeof(bytes)), 4);
    for (int i = 0; i < 2; i++)
        assert_int_equal(weir_read(s, bytes, sizeof(bytes)), end);
    if (!strstr(weir_stream_why(s), words))
        fail_msg("%s", weir_stream_why(s));
    weir_close(s);
    pthread_join(server.thread, NULL);
    weir_listener_close(server.listener);
}

static void a_cut_is_no_end(void **state)
{
    (void)state;
    read_after(end_as_it_should, 0, "");
    read_after(cut_after_half, -EPROTO, "without a close_notify");
    read_after(forge_after_half, -EPROTO, "TLS failed");
}

/* The same bytes, one at a time: a go-between that cuts them all apart. */
static void *dribble(void *arg)
{
    int *fds = arg;
    char byte;
    while (recv(fds[0], &byte, 1, 0) == 1 && send(fds[1], &byte, 1, MSG_NOSIGNAL) == 1)
        ;
    shutdown(fds[1], SHUT_WR);
    return NULL;
}

static void *answer(void *arg)
{
    struct weir_stream *s;
    char bytes[2048];
    if (weir_tls_stream(arg, tls_server(), PATIENCE_MS, &s) < 0)
        return arg;
    weir_set_timeout(s, PATIENCE_MS);
    bool ok = weir_read_full(s, bytes, sizeof(bytes)) == sizeof(bytes) &&
              weir_write_all(s, bytes, sizeof(bytes)) == 0;
    weir_close(s);
    return ok ? NULL : arg;
}

static void bytes_may_be_cut_anywhere(void **state)
{
    struct weir_stream *near[2], *far[2], *client;
    pthread_t there, back, server;
    uint8_t bytes[2048], got[sizeof(bytes)];
    char why[200];
    void *failed;
    struct weir_tls *tls;
    (void)state;
    assert_int_equal(weir_pair(near), 0);
    assert_int_equal(weir_pair(far), 0);
    int fds[2][2] = {{weir_read_fd(near[1]), weir_read_fd(far[0])},
                     {weir_read_fd(far[0]), weir_read_fd(near[1])}};
    assert_int_equal(pthread_create(&there, NULL, dribble, fds[0]), 0);
    assert_int_equal(pthread_create(&back, NULL, dribble, fds[1]), 0);
    (void)tls_server();
    assert_int_equal(pthread_create(&server, NULL, answer, far[1]), 0);
    const struct weir_tls_options options = {.peer_name = "localhost", .authorities = cert_file()};
    assert_int_equal(weir_tls_new(&options, &tls, why, sizeof(why)), 0);
    assert_int_equal(weir_tls_stream(near[0], tls, PATIENCE_MS, &client), 0);
    weir_tls_free(tls); /* the stream has a hold of its own */
    weir_set_timeout(client, PATIENCE_MS);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = byte_at(i);
    assert_int_equal(weir_write_all(client, bytes, sizeof(bytes)), 0);
    assert_int_equal(weir_read_full(client, got, sizeof(got)), sizeof(got));
    assert_memory_equal(bytes, got, sizeof(got));
    assert_int_equal(weir_read(client, got, 1), 0);
    assert_int_equal(weir_close(client), 0);
    pthread_join(server, &failed);
    assert_null(failed);
    pthread_join(there, NULL);
    pthread_join(back, NULL);
    weir_close(near[1]);
    weir_close(far[0]);
}

static void only_sockets_carry_it(void **state)
{
    struct weir_stream *ends[2], *s;
    (void)state;
    assert_int_equal(weir_pipe(ends), 0);
    assert_int_equal(weir_tls_stream(ends[0], tls_server(), 0, &s), -EOPNOTSUPP);
    weir_close(ends[1]);
}

/* --- names --- */

static void names_say_what_is_wrong_with_them(void **state)
{
    static const char *const good[] = {"tls:localhost:443", "tls://[::1]:443?insecure",
                                       "tls:a:1?ca=/x%20y&name=b&alpn=h2&cert=c&key=k", "tls:a:1?"};
    static const struct {
        const char *name, *words;
    } bad[] = {{"tls:localhost", "port is missing"},
               {"tls:a:1?x=1", "behind the ?"},
               {"tls:a:1?ca=", "is empty"},
               {"tls:a:1?ca=%2", "without two digits"},
               {"tls:a:1?ca=%00", "without two"},
               {"tls:a:1?key=k", "needs the cert="},
               {"tls:a:0", "port 0"},
               {"tls:*:1", "only be listened on"}};
    char why[400];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(weir_endpoint_check(good[i], false, why, sizeof(why)), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(weir_endpoint_check(bad[i].name, false, why, sizeof(why)), -EINVAL);
        if (!strstr(why, bad[i].words))
            fail_msg("%s: %s", bad[i].name, why);
    }
    assert_int_equal(weir_endpoint_check("tls:127.0.0.1:1", true, why, sizeof(why)), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_lies_inside_is_told),
        TEST(what_waits_goes_out_while_reading),
        TEST(a_full_way_there_does_not_hold_up_the_way_back),
        TEST(a_close_right_after_a_write_loses_nothing),
        TEST(a_forked_copy_is_only_closed),
        TEST(it_copies_like_any_stream),
        TEST(hostile_servers_are_told_apart),
        TEST(who_it_is_not),
        TEST(a_cut_is_no_end),
        TEST(bytes_may_be_cut_anywhere),
        TEST(only_sockets_carry_it),
        TEST(names_say_what_is_wrong_with_them),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
