/* Several addresses, one connection (RFC 8305). */
#include "stream/dial.h"

#include "ends.h"
#include "stream/wait.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static void add(struct address_list *list, struct weir_listener *l)
{
    list->len[list->count] = sizeof(list->at[0]);
    getsockname(l->fds[0], (struct sockaddr *)&list->at[list->count], &list->len[list->count]);
    list->count++;
}

/* An address nobody answers at: a listener whose queue is full drops what comes. */
struct silence {
    struct weir_listener *listener;
    int clients[4];
};

static void silence_open(struct silence *s)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 1, &s->listener), 0);
    getsockname(s->listener->fds[0], (struct sockaddr *)&at, &len);
    for (int i = 0; i < 4; i++) {
        s->clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int rc = connect(s->clients[i], (struct sockaddr *)&at, len);
        assert_true(rc == 0 || errno == EINPROGRESS);
    }
}

static void silence_close(struct silence *s)
{
    for (int i = 0; i < 4; i++)
        close(s->clients[i]);
    weir_listener_close(s->listener);
}

static void check_connected(struct weir_stream *s, struct weir_listener *l)
{
    struct weir_stream *accepted;
    char byte = 0;
    assert_int_equal(weir_accept(l, PATIENCE_MS, &accepted), 0);
    assert_int_equal(weir_write_all(accepted, "!", 1), 0);
    weir_set_timeout(s, PATIENCE_MS);
    assert_int_equal(weir_read(s, &byte, 1), 1);
    weir_close(accepted);
    stream_done(s);
}

static void refused_address_is_skipped_at_once(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_listener *gone;
    struct address_list list = {.count = 0};
    struct weir_stream s;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &l), 0);
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &gone), 0);
    for (int i = 0; i < 3; i++)
        add(&list, gone);
    weir_listener_close(gone);
    add(&list, l);
    int64_t before = now_ms();
    assert_int_equal(dial(&list, deadline_in(PATIENCE_MS), &s), 0);
    assert_true(now_ms() - before < 600);
    check_connected(&s, l);
    list.count = 3;
    assert_int_equal(dial(&list, deadline_in(PATIENCE_MS), &s), -ECONNREFUSED);
    weir_listener_close(l);
}

static void silent_address_delays_by_a_quarter_second(void **state)
{
    (void)state;
    struct silence silence;
    struct weir_listener *l;
    struct address_list list = {.count = 0};
    struct weir_stream s;
    silence_open(&silence);
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &l), 0);
    add(&list, silence.listener);
    add(&list, l);
    int64_t before = now_ms();
    assert_int_equal(dial(&list, deadline_in(PATIENCE_MS), &s), 0);
    int64_t took = now_ms() - before;
    assert_true(took >= 249 && took < 3000);
    check_connected(&s, l);
    /* Refusals in between delay nothing. */
    struct weir_listener *gone;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &gone), 0);
    list.count = 1;
    for (int i = 0; i < 6; i++)
        add(&list, gone);
    weir_listener_close(gone);
    add(&list, l);
    before = now_ms();
    assert_int_equal(dial(&list, deadline_in(PATIENCE_MS), &s), 0);
    assert_true(now_ms() - before < 1200);
    check_connected(&s, l);
    list.count = 1;
    before = now_ms();
    assert_int_equal(dial(&list, deadline_in(120), &s), -ETIMEDOUT);
    assert_true(now_ms() - before >= 119);
    weir_listener_close(l);
    silence_close(&silence);
}

/* The first attempt goes on while others are made: when it is answered after all, it is taken. */
static void slow_address_can_still_win(void **state)
{
    (void)state;
    struct silence first;
    struct silence second;
    struct address_list list = {.count = 0};
    struct weir_stream s;
    struct weir_stream *accepted[8];
    int count = 0;
    silence_open(&first);
    silence_open(&second);
    add(&list, first.listener);
    add(&list, second.listener);
    /* Room in the queue of the first: the kernel sends its SYN again a second after the first one. */
    pid_t pid = fork();
    if (pid == 0) {
        nap_ms(400);
        while (count < 8 && weir_accept(first.listener, 3000, &accepted[count]) == 0)
            count++;
        _exit(0);
    }
    int64_t before = now_ms();
    int rc = dial(&list, deadline_in(PATIENCE_MS), &s);
    int64_t took = now_ms() - before;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(rc, 0);
    assert_true(took > 400);
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    getpeername(s.in, (struct sockaddr *)&at, &len);
    assert_memory_equal(&at, &list.at[0], sizeof(at));
    stream_done(&s);
    silence_close(&first);
    silence_close(&second);
}

static void names_are_bounded_by_the_timeout(void **state)
{
    (void)state;
    struct weir_stream *s;
    int64_t before = now_ms();
    int rc = weir_open("tcp:name.invalid:80", 0, 1, &s);
    assert_true(rc == -ETIMEDOUT || rc == -EHOSTUNREACH);
    assert_true(now_ms() - before < 3000);
    nap_ms(20); /* the helper that was left behind may still hold a socket to the name server */
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(refused_address_is_skipped_at_once),
        COUNTED(silent_address_delays_by_a_quarter_second),
        COUNTED(slow_address_can_still_win),
        cmocka_unit_test(names_are_bounded_by_the_timeout),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
