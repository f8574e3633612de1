/* Listeners of the epoll driver: how long they stay open at a stop, and what happens when there is no place. */
#include "../base/check.h"
#include "tbl/limits.h"
#include "tbl/limits_model.h"
#include "world.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static atomic_uint idle_looks; /* that did not wait and found nothing */

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
    long n = syscall(SYS_epoll_pwait, epoll, events, max, timeout_ms, NULL, 0);
    if (n == 0 && timeout_ms == 0)
        atomic_fetch_add(&idle_looks, 1);
    return (int)n;
}

static uint64_t now_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

/* A client of an abstract Unix socket, "unix:@NAME". -1: nobody listens there. */
static int connect_to(const char *endpoint)
{
    const char *name = endpoint + strlen("unix:@");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    memcpy(at.sun_path + 1, name, strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, len) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static ssize_t ignore_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)conn;
    (void)bytes;
    return (ssize_t)len;
}

/* --- clients that keep coming after the stop: each is there before the loop looks again --- */

static struct {
    struct world world;
    unsigned pause_ms; /* from one to the next */
    unsigned most;
    unsigned came;
    uint64_t stop_ms; /* when the loop heard of it */
    uint64_t last_ms; /* when the last one came, or found nobody */
} crowd;

static void next_comes(void)
{
    usleep(crowd.pause_ms * 1000);
    int fd = crowd.came < crowd.most ? connect_to(weir_listener_name(crowd.world.listener)) : -1;
    if (fd >= 0) {
        crowd.came++;
        close(fd);
    }
    crowd.last_ms = now_ms();
}

static int crowd_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)state;
    (void)conn;
    (void)config;
    if (crowd.stop_ms)
        next_comes();
    return 0;
}

static void crowd_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)state;
    (void)why;
    if (!crowd.stop_ms) {
        crowd.stop_ms = now_ms();
        next_comes();
    }
    weir_conn_finish(conn, WEIR_DONE);
}

static const struct weir_protocol crowd_protocol = {.name = "crowd",
                                                    .input_max = 1,
                                                    .open = crowd_open,
                                                    .input = ignore_input,
                                                    .leave = crowd_leave};

static void stop_with_crowd(unsigned pause_ms, unsigned most)
{
    struct weir_service service = {.name = "t", .protocol = &crowd_protocol};
    memset(&crowd, 0, sizeof(crowd));
    crowd.pause_ms = pause_ms;
    crowd.most = most;
    world_start(&crowd.world, KIND_EPOLL, &service);
    int fd = world_client(&crowd.world);
    usleep(50000); /* it is accepted */
    world_stop(&crowd.world);
    close(fd);
}

static void who_keeps_coming_at_a_stop_is_accepted(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) { /* a machine that stood still meanwhile counts for nothing */
        stop_with_crowd(LIMIT_DRAIN_QUIET_MS + 10, 4);
        if (crowd.came == 4 || crowd.last_ms - crowd.stop_ms < LIMIT_DRAIN_MS)
            break;
    }
    assert_int_equal(crowd.came, 4);
}

static void but_not_for_ever(void **state)
{
    (void)state;
    stop_with_crowd(5, 2000); /* ten seconds of them */
    assert_true(crowd.came < 2000);
}

/* --- full at one listener, while the other had more than a batch --- */

/* Nobody makes room when others wait. */
static void busy_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)state;
    if (why == WEIR_LEAVE_STOP)
        weir_conn_finish(conn, WEIR_DONE);
}

static const struct weir_protocol busy_protocol = {
    .name = "busy", .input_max = 1, .input = ignore_input, .leave = busy_leave};

static void *drive(void *options)
{
    (void)!epoll_drive(options);
    return NULL;
}

static void full_does_not_spin(void **state)
{
    struct weir_service service = {.name = "t", .protocol = &busy_protocol};
    struct weir_listener *listeners[2];
    int clients[LIMIT_ACCEPT_BATCH + 1], stop[2];
    char name[64];
    pthread_t thread;
    (void)state;
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "unix:@weir-full-%d-%d", (int)getpid(), i);
        assert_int_equal(listener_open(name, 0, 0, &listeners[i]), 0);
    }
    for (int i = 0; i < LIMIT_ACCEPT_BATCH + 1; i++)
        clients[i] = connect_to(weir_listener_name(listeners[i == LIMIT_ACCEPT_BATCH]));
    assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
    struct epoll_options options = {.service = &service,
                                    .listeners = listeners,
                                    .listener_count = 2,
                                    .max_connections = LIMIT_ACCEPT_BATCH,
                                    .stop = stop[0]};
    atomic_store(&idle_looks, 0);
    assert_int_equal(pthread_create(&thread, NULL, drive, &options), 0);
    usleep(4 * LIMIT_ACCEPT_RETRY_MS * 1000); /* each time it looks again */
    unsigned looks = atomic_load(&idle_looks);
    close(stop[1]);
    for (int i = 0; i < LIMIT_ACCEPT_BATCH + 1; i++)
        close(clients[i]);
    pthread_join(thread, NULL);
    close(stop[0]);
    for (int i = 0; i < 2; i++)
        weir_listener_close(listeners[i]);
    assert_true(looks < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_keeps_coming_at_a_stop_is_accepted),
        cmocka_unit_test(but_not_for_ever),
        cmocka_unit_test(full_does_not_spin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
