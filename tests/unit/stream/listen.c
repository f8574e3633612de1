/* Listeners, and who is at the other end. */
#include "ends.h"
#include "stream/impl.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/un.h>

static void port_zero_takes_one_port_for_all_addresses(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *client;
    struct weir_stream *server;
    char name[64];
    assert_int_equal(weir_listen("tcp:*:0", 0, &l), 0);
    const char *port = strrchr(weir_listener_name(l), ':') + 1;
    assert_true(atoi(port) > 0);
    assert_int_equal(l->count, has_tcp6() ? 2 : 1);
    for (unsigned i = 0; i < l->count; i++) {
        snprintf(name, sizeof(name), "tcp:%s:%s", i ? "[::1]" : "127.0.0.1", port);
        assert_int_equal(weir_open(name, 0, PATIENCE_MS, &client), 0);
        assert_int_equal(weir_accept(l, PATIENCE_MS, &server), 0);
        weir_close(client);
        weir_close(server);
    }
    weir_listener_close(l);
}

static void names_with_service_and_host(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *client;
    struct weir_stream *server;
    assert_int_equal(weir_listen("tcp:localhost:0", 0, &l), 0);
    assert_int_equal(strncmp(weir_listener_name(l), "tcp:localhost:", 14), 0);
    assert_int_equal(weir_open(weir_listener_name(l), 0, PATIENCE_MS, &client), 0);
    assert_int_equal(weir_accept(l, PATIENCE_MS, &server), 0);
    weir_close(client);
    weir_close(server);
    weir_listener_close(l);
    assert_int_equal(weir_listen("tcp:127.0.0.1:no-such-service", 0, &l), -EINVAL);
    assert_int_equal(weir_listen("tcp:192.0.2.77:0", 0, &l), -EADDRNOTAVAIL);
}

static void taken_port_is_an_error(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_listener *other;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &l), 0);
    assert_int_equal(weir_listen(weir_listener_name(l), 0, &other), -EADDRINUSE);
    char name[64];
    strcpy(name, weir_listener_name(l));
    weir_listener_close(l);
    assert_int_equal(weir_listen(name, 0, &l), 0);
    weir_listener_close(l);
}

static void port_of_a_closed_connection_is_free(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *client;
    struct weir_stream *server;
    char name[64];
    char byte;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &l), 0);
    strcpy(name, weir_listener_name(l));
    assert_int_equal(weir_open(name, 0, PATIENCE_MS, &client), 0);
    assert_int_equal(weir_accept(l, PATIENCE_MS, &server), 0);
    weir_close(server); /* the side that closes first keeps TIME_WAIT */
    assert_int_equal(weir_read(client, &byte, 1), 0);
    weir_close(client);
    weir_listener_close(l);
    assert_int_equal(weir_listen(name, 0, &l), 0);
    weir_listener_close(l);
}

static void nobody_came(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *s;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &l), 0);
    int64_t before = now_ms();
    assert_int_equal(weir_accept(l, 50, &s), -ETIMEDOUT);
    assert_true(now_ms() - before >= 49);
    weir_listener_close(l);
    assert_int_equal(weir_open("tcp:127.0.0.1:1", 0, PATIENCE_MS, &s), -ECONNREFUSED);
}

static bool exists(const char *name)
{
    return access(name + strlen("unix:"), F_OK) == 0;
}

static void unix_path_goes_with_its_listener(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_listener *other;
    struct weir_stream *s;
    const char *name = fresh_name("unix:");
    assert_int_equal(weir_listen(name, 0, &l), 0);
    assert_string_equal(weir_listener_name(l), name);
    assert_int_equal(weir_listen(name, 0, &other), -EADDRINUSE);
    assert_true(exists(name));
    listener_release(l);
    assert_true(exists(name)); /* now stale: nobody listens */
    assert_int_equal(weir_open(name, 0, 0, &s), -ECONNREFUSED);
    assert_int_equal(weir_listen(name, 0, &other), 0);
    weir_listener_close(l); /* not its file any more */
    assert_true(exists(name));
    assert_int_equal(weir_open(name, 0, 0, &s), 0);
    weir_close(s);
    weir_listener_close(other);
    assert_false(exists(name));
}

static void other_files_are_never_replaced(void **state)
{
    (void)state;
    struct weir_listener *l;
    const char *name = fresh_name("unix:");
    int fd = open(name + 5, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    assert_int_equal(weir_listen(name, 0, &l), -EADDRINUSE);
    assert_true(exists(name));
    assert_int_equal(weir_listen("unix:/no/such/folder/x", 0, &l), -ENOENT);
}

static int close_in_child(void *arg)
{
    weir_listener_close(arg);
    return 0;
}

static void child_does_not_remove_the_path(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_process *p;
    const char *name = fresh_name("unix:");
    assert_int_equal(weir_listen(name, 0, &l), 0);
    struct weir_fd_map map[] = {{l->fds[0], l->fds[0]}, {2, 2}};
    struct weir_process_options o = {.map = map, .map_count = 2};
    assert_int_equal(weir_process_call(close_in_child, l, &o, &p), 0);
    assert_int_equal(weir_process_wait(p, PATIENCE_MS), 0);
    weir_process_free(p);
    assert_true(exists(name));
    weir_listener_close(l);
    assert_false(exists(name));
}

static void full_unix_queue_keeps_to_the_timeout(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *clients[64];
    int count = 0;
    int rc = 0;
    const char *name = fresh_name("unix:");
    assert_int_equal(weir_listen(name, 1, &l), 0);
    int64_t before = now_ms();
    while (count < 64 && (rc = weir_open(name, 0, 60, &clients[count])) == 0)
        count++;
    assert_int_equal(rc, -ETIMEDOUT);
    assert_true(now_ms() - before >= 59);
    for (int i = 0; i < count; i++)
        weir_close(clients[i]);
    weir_listener_close(l);
}

static void clones_share_the_port(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_listener *clone;
    struct weir_listener *unix_listener;
    struct weir_stream *client;
    struct weir_stream accepted;
    int by[2] = {0, 0};
    assert_int_equal(listener_open("tcp:127.0.0.1:0", 0, 0, &l), 0);
    assert_int_equal(listener_clone(l, 0, 0, &clone), 0);
    assert_string_equal(weir_listener_name(clone), weir_listener_name(l));
    for (int i = 0; i < 64; i++) {
        assert_int_equal(weir_open(weir_listener_name(l), 0, PATIENCE_MS, &client), 0);
        bool second = listener_try_accept(l, 0, &accepted) == -EAGAIN;
        if (second)
            assert_int_equal(listener_try_accept(clone, 0, &accepted), 0);
        by[second]++;
        stream_done(&accepted);
        weir_close(client);
    }
    assert_true(by[0] > 0 && by[1] > 0);
    weir_listener_close(clone);
    weir_listener_close(l);
    assert_int_equal(listener_open(fresh_name("unix:@"), 0, 0, &unix_listener), 0);
    assert_int_equal(listener_clone(unix_listener, 0, 0, &clone), -EOPNOTSUPP);
    weir_listener_close(unix_listener);
}

static void given_listener(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *client;
    struct weir_stream *server;
    char name[32];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    snprintf(name, sizeof(name), "fd:%d", fd);
    assert_int_equal(weir_listen(name, 0, &l), -EINVAL); /* it does not listen */
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(weir_listen(name, 0, &l), 0);
    assert_int_equal(strncmp(weir_listener_name(l), "tcp:127.0.0.1:", 14), 0);
    assert_int_equal(weir_accept(l, 20, &server), -ETIMEDOUT);
    assert_int_equal(weir_open(weir_listener_name(l), 0, PATIENCE_MS, &client), 0);
    assert_int_equal(weir_accept(l, PATIENCE_MS, &server), 0);
    weir_close(client);
    weir_close(server);
    weir_listener_close(l);
}

static void no_descriptors_leaves_the_client_queued(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *client;
    struct weir_stream *server;
    struct rlimit limit;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &l), 0);
    assert_int_equal(weir_open(weir_listener_name(l), 0, PATIENCE_MS, &client), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = dup(0); /* the lowest free number */
    close(next);
    struct rlimit none = {(rlim_t)next, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int rc = weir_accept(l, 0, &server);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(rc, -EMFILE);
    assert_int_equal(weir_accept(l, PATIENCE_MS, &server), 0);
    weir_close(server);
    weir_close(client);
    weir_listener_close(l);
}

static void peers_are_known(void **state)
{
    (void)state;
    struct ends e;
    struct weir_peer peer;
    char mine[160];
    char theirs[160];
    char expected[160];
    unsigned near;
    unsigned far;
    open_tcp4(&e);
    assert_int_equal(weir_peer(e.reader, &peer), 0);
    assert_string_equal(peer.text, "127.0.0.1");
    assert_int_equal(weir_tuple(e.writer, mine, sizeof(mine)), 0);
    assert_int_equal(weir_tuple(e.reader, theirs, sizeof(theirs)), 0);
    assert_int_equal(sscanf(mine, "tcp 127.0.0.1:%u -> 127.0.0.1:%u", &near, &far), 2);
    assert_int_equal(peer.port, near);
    snprintf(expected, sizeof(expected), "tcp 127.0.0.1:%u -> 127.0.0.1:%u", far, near);
    assert_string_equal(theirs, expected);
    assert_int_equal(weir_tuple(e.writer, mine, 10), -ERANGE);
    close_ends(&e);
    for (int i = 0; i < 2; i++) {
        i ? open_pair(&e) : open_unix(&e);
        assert_int_equal(weir_peer(e.reader, &peer), 0);
        assert_int_equal(peer.pid, getpid());
        assert_int_equal(peer.uid, getuid());
        assert_int_equal(peer.gid, getgid());
        assert_int_equal(peer.port, 0);
        assert_int_equal(strncmp(peer.text, "unix:uid=", 9), 0);
        assert_int_equal(weir_tuple(e.writer, mine, sizeof(mine)), -ENOTSOCK);
        if (!i) {
            assert_int_equal(weir_peer(e.writer, &peer), 0);
            assert_int_equal(strncmp(peer.text, "unix:/tmp/", 10), 0);
        }
        close_ends(&e);
    }
    open_abstract(&e);
    assert_int_equal(weir_peer(e.writer, &peer), 0);
    assert_int_equal(strncmp(peer.text, "unix:@/tmp/", 11), 0);
    close_ends(&e);
    open_pipe(&e);
    assert_int_equal(weir_peer(e.writer, &peer), 0);
    assert_string_equal(peer.text, "pipe");
    assert_int_equal(peer.pid, -1);
    assert_int_equal(weir_tuple(e.writer, mine, sizeof(mine)), -ENOTSOCK);
    close_ends(&e);
}

static void addresses_as_text(void **state)
{
    (void)state;
    char text[64];
    struct address a = {.family = AF_INET, .port = 80, .ip = {192, 0, 2, 1}};
    assert_int_equal(address_text(&a, text, sizeof(text)), 80);
    assert_string_equal(text, "192.0.2.1");
    a = (struct address){.family = AF_INET6, .port = 443, .ip = {0x20, 1, 0xd, 0xb8, [15] = 1}};
    assert_int_equal(address_text(&a, text, sizeof(text)), 443);
    assert_string_equal(text, "[2001:db8::1]");
    a = (struct address){.family = AF_UNIX, .unix_peer = {.pid = 7, .uid = 1000}};
    assert_int_equal(address_text(&a, text, sizeof(text)), 0);
    assert_string_equal(text, "unix:uid=1000");
    a = (struct address){.family = AF_UNSPEC};
    assert_int_equal(address_text(&a, text, sizeof(text)), 0);
    assert_string_equal(text, "-");
    assert_int_equal(address_text(&a, text, 1), 0);
    assert_string_equal(text, "");
}

static void mapped_v4_client_is_a_v4_client(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream *client;
    struct weir_stream accepted;
    char text[64];
    char name[64];
    if (!has_tcp6())
        return;
    struct sockaddr_in6 at = {.sin6_family = AF_INET6};
    int off = 0;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 5), 0);
    snprintf(name, sizeof(name), "fd:%d", fd);
    assert_int_equal(weir_listen(name, 0, &l), 0);
    snprintf(name, sizeof(name), "tcp:127.0.0.1%s", strrchr(weir_listener_name(l), ':'));
    assert_int_equal(weir_open(name, 0, PATIENCE_MS, &client), 0);
    assert_int_equal(listener_try_accept(l, 0, &accepted), 0);
    address_text(&accepted.peer, text, sizeof(text));
    assert_string_equal(text, "127.0.0.1");
    stream_done(&accepted);
    weir_close(client);
    weir_listener_close(l);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(port_zero_takes_one_port_for_all_addresses),
        COUNTED(names_with_service_and_host),
        COUNTED(taken_port_is_an_error),
        COUNTED(port_of_a_closed_connection_is_free),
        COUNTED(nobody_came),
        COUNTED(unix_path_goes_with_its_listener),
        COUNTED(other_files_are_never_replaced),
        COUNTED(child_does_not_remove_the_path),
        COUNTED(full_unix_queue_keeps_to_the_timeout),
        COUNTED(clones_share_the_port),
        COUNTED(given_listener),
        COUNTED(no_descriptors_leaves_the_client_queued),
        COUNTED(peers_are_known),
        COUNTED(addresses_as_text),
        COUNTED(mapped_v4_client_is_a_v4_client),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
