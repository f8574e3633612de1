#include "load/page_service.h"

#include <weir/driver.h>
#include <weir/stream.h>

#include <errno.h>
#include <sys/timerfd.h>

/* About as much as a small page has. */
static const char page[] = "<!doctype html>\n<title>weir bench</title>\n"
                           "<p>A small page, answered from memory.\n<!-- "
                           "................................................................"
                           "................................................................"
                           "................................................................"
                           "................................................................"
                           "................................................................"
                           "................................................................"
                           "................................................................"
                           "................................................................"
                           " -->\n";

static int answer(struct weir_exchange *x)
{
    int rc = weir_reply_field(x, "Content-Type", "text/html");
    return rc < 0 ? rc : weir_reply_bytes(x, page, sizeof(page) - 1, NULL);
}

/* --- the wait --- */

static ssize_t alarm_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct weir_exchange *x = (struct weir_exchange *)(uintptr_t)weir_conn_config(conn);
    (void)state;
    (void)bytes;
    if (weir_exchange_conn(x)) /* else the client went away meanwhile */
        (void)!answer(x);
    weir_conn_finish(conn, WEIR_DONE);
    return (ssize_t)len;
}

static void alarm_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    (void)why;
    weir_exchange_drop((struct weir_exchange *)(uintptr_t)weir_conn_config(conn));
}

static const struct weir_protocol alarm_protocol = {
    .name = "alarm", .input_max = sizeof(uint64_t), .input = alarm_input, .close = alarm_close};

static int answer_later(struct weir_exchange *x, unsigned delay_ms)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    const struct itimerspec when = {
        .it_value = {.tv_sec = delay_ms / 1000, .tv_nsec = (long)(delay_ms % 1000) * 1000000}};
    struct weir_stream *stream;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    (void)timerfd_settime(fd, 0, &when, NULL);
    int rc = weir_from_fd(fd, true, &stream);
    if (rc < 0)
        return rc;
    weir_exchange_hold(x);
    if (driver->ops->adopt(driver, stream, &alarm_protocol, x))
        return 0;
    weir_exchange_drop(x);
    return -ENOMEM;
}

static int start(struct weir_exchange *x)
{
    const struct page_service *service = weir_exchange_config(x);
    return service->delay_ms ? answer_later(x, service->delay_ms) : answer(x);
}

static const struct weir_handler handler = {.name = "page", .start = start};

static const struct weir_handler *route(const struct weir_http *http, struct weir_exchange *x,
                                        const void **out_config)
{
    (void)x;
    *out_config = http->arg;
    return &handler;
}

void page_service_init(struct page_service *service, unsigned delay_ms)
{
    *service = (struct page_service){.delay_ms = delay_ms};
    service->http = (struct weir_http){.route = route, .arg = service};
    service->service = (struct weir_service){.name = "page",
                                             .protocol = &weir_http1,
                                             .config = &service->http,
                                             .client_first = true,
                                             .threads = true};
}
