/* Connecting without waiting, and giving up meanwhile; under epoll. */
#include "../base/check.h"
#include "world.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char endpoint[64];
static atomic_int dialled_ends;

static ssize_t ignore_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)conn;
    (void)bytes;
    return (ssize_t)len;
}

static void dialled_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    (void)conn;
    (void)why;
    atomic_fetch_add(&dialled_ends, 1);
}

static const struct weir_protocol dialled = {
    .name = "dialled", .input_max = 1, .input = ignore_input, .close = dialled_close};

/* A client's machine, which has one dialled and lets go of it at its own end. */
static int client_open(void *state, struct weir_conn *conn, const void *config)
{
    struct weir_driver *driver = weir_conn_driver(conn);
    struct weir_conn **far = state;
    (void)config;
    *far = driver->ops->dial(driver, endpoint, &dialled, NULL);
    return *far ? 0 : -ENOMEM;
}

static void client_close(void *state, struct weir_conn *conn, int why)
{
    struct weir_conn **far = state;
    (void)conn;
    (void)why;
    if (*far)
        weir_conn_finish(*far, -ECANCELED);
}

static const struct weir_protocol client = {.name = "client",
                                            .state_size = sizeof(struct weir_conn *),
                                            .input_max = 1,
                                            .open = client_open,
                                            .input = ignore_input,
                                            .close = client_close};

/* A Unix socket whose queue is full: whoever connects is told to try again. Two descriptors, to be closed. */
static void open_full(int fds[2])
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int len = snprintf(endpoint, sizeof(endpoint), "unix:@weir-full-%d", (int)getpid());
    size_t name_len = (size_t)len - strlen("unix:@");
    memcpy(at.sun_path + 1, endpoint + strlen("unix:@"), name_len);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name_len);
    for (int i = 0; i < 2; i++)
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&at, size), 0);
}

/* It waits for nothing but the time of its next try, which is forgotten with it. */
static void one_that_is_given_up_between_two_tries_is_forgotten(void **state)
{
    struct weir_service service = {.name = "t", .protocol = &client};
    struct world world;
    int full[2];
    (void)state;
    open_full(full);
    world_start(&world, KIND_EPOLL, &service);
    for (int i = 0; i < 4; i++) {
        int fd = world_client(&world);
        usleep(80000); /* it tries */
        assert_int_equal(atomic_load(&dialled_ends), i);
        close(fd);
        for (int k = 0; k < 5000 && atomic_load(&dialled_ends) == i; k++)
            usleep(1000);
        assert_int_equal(atomic_load(&dialled_ends), i + 1);
        usleep(80000); /* the time of its next try comes */
    }
    world_stop(&world);
    close(full[0]);
    close(full[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_given_up_between_two_tries_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
