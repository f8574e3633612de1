/* Child programs: their folder, their limits, and a start that fails; under poll and under epoll. */
#include "../base/check.h"
#include "awaited.h"
#include "drive/core.h"
#include "world.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The client gets what the child writes; it ends when the child and all its pipes have. */
static struct weir_conn *the_client;
static atomic_int closed_ends, ended, result;

static void maybe_finish(void)
{
    if (the_client && atomic_load(&ended) == 1 && atomic_load(&closed_ends) == 3)
        weir_conn_finish(the_client, WEIR_DONE);
}

static ssize_t out_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)conn;
    if (the_client) {
        weir_out_copy(weir_conn_out(the_client), bytes, len);
        weir_conn_wake(the_client);
    }
    return (ssize_t)len;
}

static void end_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    (void)conn;
    (void)why;
    atomic_fetch_add(&closed_ends, 1);
    maybe_finish();
}

static const struct weir_protocol end_protocol = {
    .name = "end", .input_max = 1, .input = out_input, .close = end_close};

/* Of a child's pidfd, when it has ended: as another program that is just being started has one. */
static bool wants_copy;
static atomic_int pidfd, copy, ended_fd;

static void child_ended(void *arg, int status)
{
    (void)arg;
    if (wants_copy) {
        atomic_store(&pidfd, fd_named("pidfd"));
        atomic_store(&copy, fcntl(atomic_load(&pidfd), F_DUPFD_CLOEXEC, 0));
    }
    atomic_store(&result, status);
    atomic_fetch_add(&ended, 1);
    maybe_finish();
}

static int spawn_for(struct weir_conn *conn, const void *config, struct weir_conn *ends[3])
{
    struct weir_driver *driver = weir_conn_driver(conn);
    struct weir_spawn spawn = *(const struct weir_spawn *)config;
    the_client = conn;
    spawn.protocol[0] = spawn.protocol[1] = spawn.protocol[2] = &end_protocol;
    spawn.ended = child_ended;
    int rc = driver->ops->spawn(driver, &spawn, ends);
    if (rc < 0)
        atomic_store(&result, rc);
    return rc < 0 ? rc : 0;
}

static int client_open(void *state, struct weir_conn *conn, const void *config)
{
    struct weir_conn *ends[3];
    (void)state;
    return spawn_for(conn, config, ends);
}

static void client_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    (void)conn;
    (void)why;
    the_client = NULL;
}

static const struct weir_protocol client_protocol = {.name = "client",
                                                     .input_max = 1,
                                                     .open = client_open,
                                                     .input = out_input,
                                                     .close = client_close};

static void forget_what_was(void)
{
    atomic_store(&closed_ends, 0);
    atomic_store(&ended, 0);
    atomic_store(&result, 1);
}

/* What a child of that kind says. */
static void talk(void **state, const struct weir_spawn *spawn, char *text, size_t size)
{
    struct weir_service service = {.name = "t", .protocol = &client_protocol, .config = spawn};
    struct world world;
    forget_what_was();
    world_start(&world, *(enum kind *)*state, &service);
    int fd = world_client(&world);
    size_t len = 0;
    ssize_t n;
    while (len + 1 < size && ((n = read(fd, text + len, size - 1 - len)) > 0 ||
                              (n < 0 && errno == EINTR))) /* the child's end is a signal */
        len += n > 0 ? (size_t)n : 0;
    text[len] = '\0';
    close(fd);
    world_stop(&world);
}

static void a_folder_by_descriptor(void **state)
{
    static const char *const argv[] = {"./sh", "-c", "pwd -P", NULL};
    char text[256], want[256];
    int folder = open("/bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder >= 0);
    const struct weir_spawn spawn = {.argv = argv, .dir_fd = folder, .dir = "/nowhere"};
    assert_non_null(realpath("/bin", want));
    strcat(want, "\n");
    talk(state, &spawn, text, sizeof(text));
    assert_string_equal(text, want);
    assert_int_equal(atomic_load(&closed_ends), 3);
    close(folder);
}

static void limits_are_lowered_and_never_raised(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c",
                                       "ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hf", NULL};
    struct rlimit before, lower;
    char text[256];
    assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
    lower = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_CORE, &lower), 0);
    const struct weir_limit limits[] = {
        {RLIMIT_NOFILE, 17}, {RLIMIT_CORE, 1 << 20}, {RLIMIT_FSIZE, 512 * 512}};
    const struct weir_spawn spawn = {.argv = argv, .limits = limits, .limit_count = 3};
    talk(state, &spawn, text, sizeof(text));
    setrlimit(RLIMIT_CORE, &before);
    assert_string_equal(text, "17\n17\n0\n512\n");
}

static void a_start_that_fails_leaves_nothing(void **state)
{
    static const char *const argv[] = {"/nowhere/at/all", NULL};
    char text[16];
    const struct weir_spawn spawn = {.argv = argv};
    talk(state, &spawn, text, sizeof(text));
    assert_string_equal(text, "");
    assert_int_equal(atomic_load(&result), -ENOENT);
    assert_int_equal(atomic_load(&ended), 0);
    assert_int_equal(atomic_load(&closed_ends), 0); /* no end came to be */
}

/* The loop would go on hearing that it has ended, with the address of what was freed. */
static void one_that_has_ended_is_not_awaited(void **state)
{
    static const char *const argv[] = {"/bin/sleep", "0.3", NULL}; /* it is watched by then */
    const struct weir_spawn spawn = {.argv = argv};
    struct weir_service service = {.name = "t", .protocol = &client_protocol, .config = &spawn};
    struct world world;
    char byte;
    forget_what_was();
    wants_copy = true;
    world_start(&world, *(enum kind *)*state, &service);
    int fd = world_client(&world);
    ssize_t n;
    while ((n = read(fd, &byte, 1)) < 0 && errno == EINTR)
        ;
    bool awaited = is_awaited(atomic_load(&pidfd));
    usleep(100000);
    close(fd);
    world_stop(&world);
    wants_copy = false;
    assert_int_equal(n, 0);
    assert_true(atomic_load(&copy) >= 0);
    close(atomic_load(&copy));
    assert_false(awaited);
}

static void no_work(struct weir_job *job)
{
    (void)job;
}

/* Ends the child's input, of which another program that is just being started has a copy: so there are helpers. */
static ssize_t end_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    static struct weir_job job = {.work = no_work, .done = no_work};
    struct weir_driver *driver = weir_conn_driver(conn);
    struct weir_conn **in = state;
    (void)bytes;
    if (driver->ops->submit(driver, &job) < 0)
        return -EAGAIN;
    int fd = ((struct slot *)weir_conn_slot(*in))->stream.out;
    atomic_store(&copy, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    atomic_store(&ended_fd, fd);
    weir_conn_end(*in);
    return (ssize_t)len;
}

static int open_child(void *state, struct weir_conn *conn, const void *config)
{
    struct weir_conn *ends[3];
    int rc = spawn_for(conn, config, ends);
    if (rc >= 0)
        *(struct weir_conn **)state = ends[0];
    return rc;
}

static const struct weir_protocol ending_protocol = {.name = "ending",
                                                     .state_size = sizeof(struct weir_conn *),
                                                     .input_max = 1,
                                                     .open = open_child,
                                                     .input = end_input,
                                                     .close = client_close};

/* The loop would hear that its reader is gone, with the address of what was freed. */
static void an_input_that_has_ended_is_not_awaited(void **state)
{
    static const char *const argv[] = {"/bin/sleep", "1", NULL};
    const struct weir_spawn spawn = {.argv = argv};
    struct weir_service service = {.name = "t", .protocol = &ending_protocol, .config = &spawn};
    struct world world;
    char byte = 'x';
    forget_what_was();
    world_start(&world, *(enum kind *)*state, &service);
    int fd = world_client(&world);
    usleep(100000); /* it is watched by then */
    assert_int_equal(write(fd, &byte, 1), 1);
    for (int i = 0; i < 5000 && atomic_load(&closed_ends) == 0; i++)
        usleep(1000);
    bool awaited = is_awaited(atomic_load(&ended_fd));
    int closed = close(atomic_load(&copy));
    ssize_t n;
    while ((n = read(fd, &byte, 1)) < 0 && errno == EINTR)
        ;
    close(fd);
    world_stop(&world);
    assert_int_equal(n, 0);
    assert_int_equal(closed, 0);
    assert_false(awaited);
}

#define BOTH(test)                                                                                 \
    {"poll: " #test, test, NULL, NULL, &kinds[0]},                                                 \
    {                                                                                              \
        "epoll: " #test, test, NULL, NULL, &kinds[1]                                               \
    }

int main(void)
{
    static enum kind kinds[] = {KIND_POLL, KIND_EPOLL};
    const struct CMUnitTest tests[] = {
        BOTH(a_folder_by_descriptor),
        BOTH(limits_are_lowered_and_never_raised),
        BOTH(a_start_that_fails_leaves_nothing),
        BOTH(one_that_has_ended_is_not_awaited),
        BOTH(an_input_that_has_ended_is_not_awaited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
