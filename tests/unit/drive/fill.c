/* File bytes that are not in memory, while every helper is busy; under poll and under epoll. */
#include "../base/check.h"
#include "tbl/limits.h"
#include "world.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_bool released;
static atomic_uint running;

/* As a kernel says it whose cache is cold, at each look. */
ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    (void)flags;
    if (!atomic_load(&released)) {
        errno = EAGAIN;
        return -1;
    }
    return preadv(fd, iov, count, offset);
}

static void slow_work(struct weir_job *job)
{
    (void)job;
    atomic_fetch_add(&running, 1);
    while (!atomic_load(&released))
        usleep(1000);
}

static void slow_done(struct weir_job *job)
{
    free(job);
}

static void fill_queue(struct weir_driver *driver)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < LIMIT_JOB_THREADS + LIMIT_JOB_QUEUE + 1; i++) {
        struct weir_job *job = calloc(1, sizeof(*job));
        *job = (struct weir_job){.work = slow_work, .done = slow_done};
        rc = driver->ops->submit(driver, job);
        if (rc < 0)
            free(job);
    }
    assert_int_equal(rc, -EAGAIN);
}

/* A helper that has only just begun may not have taken its first yet: then there is room again. */
static void occupy_helpers(struct weir_driver *driver)
{
    fill_queue(driver);
    for (unsigned ms = 0; atomic_load(&running) < LIMIT_JOB_THREADS && ms < 20000; ms++)
        usleep(1000);
    assert_int_equal(atomic_load(&running), LIMIT_JOB_THREADS);
    fill_queue(driver);
}

static ssize_t answer_with_file(void *state, struct weir_conn *conn, const uint8_t *bytes,
                                size_t len)
{
    struct weir_driver *driver = weir_conn_driver(conn);
    const struct weir_span file = {
        .kind = WEIR_SPAN_FILE, .fd = *(const int *)weir_conn_config(conn), .len = 5};
    size_t filled = 0;
    (void)state;
    (void)bytes;
    occupy_helpers(driver);
    int rc = driver->ops->fill(driver, conn, &file, weir_conn_out(conn), 5, &filled);
    atomic_store(&released, true);
    if (rc != WEIR_FILL_MORE || filled != 5)
        weir_out_copy(weir_conn_out(conn), "wrong", 5);
    return (ssize_t)len;
}

static const struct weir_protocol answering = {
    .name = "answering", .input_max = 1, .input = answer_with_file};

static void what_no_helper_reads_is_read_here(void **state)
{
    int file = memfd_create("file", MFD_CLOEXEC);
    struct weir_service service = {.name = "t", .protocol = &answering, .config = &file};
    struct world world;
    char text[5];
    assert_int_equal(write(file, "there", 5), 5);
    atomic_store(&released, false);
    atomic_store(&running, 0);
    world_start(&world, *(enum kind *)*state, &service);
    int fd = world_client(&world);
    assert_int_equal(write(fd, "?", 1), 1);
    assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
    close(fd);
    world_stop(&world);
    close(file);
    assert_memory_equal(text, "there", 5);
}

int main(void)
{
    static enum kind kinds[] = {KIND_POLL, KIND_EPOLL};
    const struct CMUnitTest tests[] = {
        {"poll: what_no_helper_reads_is_read_here", what_no_helper_reads_is_read_here, NULL, NULL,
         &kinds[0]},
        {"epoll: what_no_helper_reads_is_read_here", what_no_helper_reads_is_read_here, NULL, NULL,
         &kinds[1]},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
