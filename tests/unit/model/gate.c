#include "model/gate.h"

#include "check.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned refused; /* so many registrations: the user has reached fs.epoll.max_user_watches */

/* The C library's is not used: the linker finds this one first. */
int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    if (refused == 0 || op != EPOLL_CTL_ADD)
        return (int)syscall(SYS_epoll_ctl, epoll, op, fd, event);
    refused--;
    errno = ENOSPC;
    return -1;
}

/* Two listeners, a stop, and clients that knock at them. */
struct place {
    struct weir_listener *listeners[2];
    int stop[2];
    struct worker worker;
    struct gate gate;
    struct weir_stream *clients[8];
    unsigned count;
};

static int open_place(void **state)
{
    static struct place place;
    place = (struct place){0};
    for (int i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof(name), "unix:@weir-gate-%d-%d", (int)getpid(), i);
        assert_int_equal(listener_open(name, 0, 0, &place.listeners[i]), 0);
    }
    assert_int_equal(pipe2(place.stop, O_CLOEXEC), 0);
    place.worker =
        (struct worker){.listeners = place.listeners, .listener_count = 2, .stop = place.stop[0]};
    assert_int_equal(gate_init(&place.gate, &place.worker), 0);
    *state = &place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;
    gate_done(&place->gate);
    for (unsigned i = 0; i < place->count; i++)
        weir_close(place->clients[i]);
    for (int i = 0; i < 2; i++)
        weir_listener_close(place->listeners[i]);
    close(place->stop[0]);
    if (place->stop[1] >= 0)
        close(place->stop[1]);
    return 0;
}

static void knock(struct place *place, int listener)
{
    const char *name = weir_listener_name(place->listeners[listener]);
    assert_int_equal(weir_open(name, WEIR_READ | WEIR_WRITE, 1000, &place->clients[place->count]),
                     0);
    place->count++;
}

static void say_stop(struct place *place)
{
    close(place->stop[1]);
    place->stop[1] = -1;
}

static void expect_client(struct place *place)
{
    struct weir_stream client;
    assert_int_equal(gate_try(&place->gate, &client), 0);
    stream_done(&client);
}

static void expect_nobody(struct place *place, int why)
{
    struct weir_stream client;
    assert_int_equal(gate_try(&place->gate, &client), why);
}

static void clients_of_all_listeners_come_in(void **state)
{
    struct place *place = *state;
    struct epoll_event event;
    expect_nobody(place, -EAGAIN);
    assert_int_equal(gate_wait(&place->gate, &event, 1, 0), 0);
    assert_false(place->gate.knock);
    knock(place, 1);
    knock(place, 0);
    assert_int_equal(gate_wait(&place->gate, &event, 1, 1000), 0);
    assert_true(place->gate.knock);
    expect_client(place);
    expect_client(place);
    expect_nobody(place, -EAGAIN);
}

static void muted_it_hears_nobody(void **state)
{
    struct place *place = *state;
    struct epoll_event event;
    knock(place, 0);
    gate_mute(&place->gate, true);
    (void)gate_wait(&place->gate, &event, 1, 20);
    assert_false(place->gate.knock);
    gate_mute(&place->gate, false);
    (void)gate_wait(&place->gate, &event, 1, 1000);
    assert_true(place->gate.knock);
}

static void other_descriptors_come_out_with_their_tags(void **state)
{
    struct place *place = *state;
    struct epoll_event event;
    int ends[2], tag;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(gate_add(&place->gate, ends[0], EPOLLIN, &tag), 0);
    close(ends[1]);
    assert_int_equal(gate_wait(&place->gate, &event, 1, 1000), 1);
    assert_ptr_equal(event.data.ptr, &tag);
    close(ends[0]);
}

static void at_a_stop_the_queue_is_served_and_then_it_shuts(void **state)
{
    struct place *place = *state;
    struct weir_stream client;
    struct epoll_event event;
    for (int i = 0; i < 4; i++)
        knock(place, i % 2);
    say_stop(place);
    (void)gate_wait(&place->gate, &event, 1, 1000);
    assert_true(place->gate.stopping);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(gate_next(&place->gate, NULL, &client), 0);
        stream_done(&client);
    }
    assert_int_equal(gate_next(&place->gate, NULL, &client), -ESHUTDOWN);
    assert_true(place->gate.shut);
    struct weir_stream *late;
    const char *name = weir_listener_name(place->listeners[0]);
    assert_int_equal(weir_open(name, WEIR_READ | WEIR_WRITE, 1000, &late), -ECONNREFUSED);
}

static void a_stop_is_seen_by_one_who_is_never_idle(void **state)
{
    struct place *place = *state;
    struct weir_stream client;
    knock(place, 0);
    say_stop(place);
    assert_int_equal(gate_next(&place->gate, NULL, &client), 0);
    stream_done(&client);
    assert_true(place->gate.stopping);
}

static void late_at_a_stop_the_rest_is_taken_at_once(void **state)
{
    struct place *place = *state;
    struct epoll_event event;
    for (int i = 0; i < 5; i++)
        knock(place, i % 2);
    say_stop(place);
    (void)gate_wait(&place->gate, &event, 1, 1000);
    place->gate.drain_ns = 1;
    expect_client(place);
    assert_true(place->gate.shut);                /* nobody new, and four still to be served */
    (void)gate_wait(&place->gate, &event, 1, -1); /* does not sleep on them */
    for (int i = 0; i < 4; i++)
        expect_client(place);
    expect_nobody(place, -ESHUTDOWN);
}

static void out_of_descriptors_it_accepts_later(void **state)
{
    struct place *place = *state;
    struct epoll_event event;
    knock(place, 0);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    expect_nobody(place, -EAGAIN);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(place->gate.retry_ns > 0);
    uint64_t start = mono_ns();
    while (place->gate.retry_ns)
        (void)gate_wait(&place->gate, &event, 1, -1);
    uint64_t took_ms = (mono_ns() - start) / WEIR_NS_PER_MS;
    assert_true(took_ms + 5 >= LIMIT_ACCEPT_RETRY_MS); /* it did not spin, and it did not forget */
    expect_client(place);
}

static void out_of_watches_it_listens_later(void **state)
{
    struct place *place = *state;
    struct epoll_event event;
    refused = 2;
    assert_int_equal(gate_wait(&place->gate, &event, 1, 0), 0);
    assert_int_equal(refused, 0);
    knock(place, 0);
    assert_true(place->gate.retry_ns > 0);
    uint64_t until = mono_ns() + 10 * WEIR_NS_PER_S;
    while (!place->gate.knock && mono_ns() < until)
        (void)gate_wait(&place->gate, &event, 1, 1000);
    assert_true(place->gate.knock);
    expect_client(place);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clients_of_all_listeners_come_in),
        TEST(muted_it_hears_nobody),
        TEST(other_descriptors_come_out_with_their_tags),
        TEST(at_a_stop_the_queue_is_served_and_then_it_shuts),
        TEST(a_stop_is_seen_by_one_who_is_never_idle),
        TEST(late_at_a_stop_the_rest_is_taken_at_once),
        TEST(out_of_descriptors_it_accepts_later),
        TEST(out_of_watches_it_listens_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
