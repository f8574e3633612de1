/*
 * request.c: one kind of request, many times over, through the file service and HTTP/1.1 without any I/O: what is counted
 * under callgrind is parse, route and reply alone. `request ROOT TIMES REQUEST`: the argument is a whole head, sent as it is.
 */
#include "base/pool.h"
#include "service/site.h"

#include <weir/conn.h>
#include <weir/driver.h>
#include <weir/server.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

/* valgrind does not know openat2(2); this program is linked with --wrap=syscall. A plain openat(2) does for files of our own. */
long __wrap_syscall(long number, int root, const char *name, const struct open_how *how);
long __wrap_syscall(long number, int root, const char *name, const struct open_how *how)
{
    if (number == SYS_openat2)
        return openat(root, name, (int)how->flags);
    errno = ENOSYS;
    return -1;
}

static void wake(struct weir_driver *driver, struct weir_conn *conn)
{
    (void)driver, (void)conn;
}

/* Slow work, which helper threads do elsewhere: content coding. */
static struct weir_job *jobs;

static int submit(struct weir_driver *driver, struct weir_job *job)
{
    (void)driver;
    job->next = jobs;
    jobs = job;
    return 0;
}

static void run_jobs(void)
{
    while (jobs) {
        struct weir_job *job = jobs;
        jobs = job->next;
        job->work(job);
        job->done(job);
    }
}

static const struct weir_driver_ops ops = {.name = "none", .wake = wake, .submit = submit};

/* Takes all output away as a socket with room would: one call. */
static void take_output(struct weir_conn *conn)
{
    struct iovec iov[64];
    const struct weir_span *file;
    int count = weir_conn_gather(conn, iov, 64, &file);
    size_t len = count == 0 ? file->len : 0;
    for (int i = 0; i < count; i++)
        len += iov[i].iov_len;
    weir_conn_sent(conn, (ssize_t)len);
}

static void run(struct weir_conn *conn, struct weir_driver *driver, const char *request)
{
    size_t len = strlen(request);
    memcpy(driver->hot, request, len);
    weir_conn_received(conn, (ssize_t)len);
    do {
        run_jobs();
        while (weir_conn_turn(conn) & WEIR_IO_WRITE)
            take_output(conn);
    } while (jobs);
}

int main(int argc, char **argv)
{
    static uint8_t hot[64 * 1024];
    struct site_options options = {.root = argc == 4 ? argv[1] : ""};
    struct site *site;
    if (argc != 4 || strlen(argv[3]) > sizeof(hot) || site_open(&options, &site) < 0)
        return 2;
    const struct weir_service *service = site_service(site);
    struct weir_driver driver = {
        .ops = &ops, .pool = weir_pool_new(), .hot = hot, .hot_size = sizeof(hot)};
    driver.now =
        (struct weir_now){1000 * WEIR_NS_PER_S, (time(NULL) + 10) * (int64_t)WEIR_NS_PER_S};
    if (!driver.pool || service->worker_start(&driver, service->arg) < 0)
        return 1;
    struct weir_conn *conn = weir_conn_new(&driver, service->protocol, service->config);
    if (!conn || !(weir_conn_turn(conn) & WEIR_IO_READ))
        return 1;
    long times = atol(argv[2]);
    for (long i = 0; i < times; i++)
        run(conn, &driver, argv[3]);
    printf("%d\n", weir_conn_resting(conn));
    weir_conn_free(conn);
    service->worker_end(&driver, service->arg);
    weir_pool_free(driver.pool);
    site_close(site);
    return 0;
}
