#include "world.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void run_poll(struct world *world)
{
    struct poll_driver *driver;
    world->result = poll_driver_new(world->service, &driver);
    if (world->result < 0)
        return;
    struct watch watch = {.stop = world->stop[0]};
    for (;;) {
        struct pollfd fds[2] = {{.fd = world->listener->fds[0], .events = POLLIN},
                                {.fd = world->stop[0], .events = POLLIN}};
        poll(fds, 2, 10000);
        struct weir_stream stream;
        int rc = listener_try_accept(world->listener, 0, &stream);
        if (rc == 0)
            poll_drive(driver, &stream, NULL, &watch, false, NULL, NULL);
        else if (fds[1].revents)
            break;
    }
    poll_driver_free(driver);
    listener_release(world->listener);
}

static void *run(void *arg)
{
    struct world *world = arg;
    if (world->kind == KIND_POLL) {
        run_poll(world);
    } else {
        struct epoll_options options = {.service = world->service,
                                        .listeners = &world->listener,
                                        .listener_count = 1,
                                        .max_connections = world->places,
                                        .stop = world->stop[0]};
        world->result = epoll_drive(&options);
    }
    return NULL;
}

static void start(struct world *world, enum kind kind, const struct weir_service *service,
                  const char *scheme, unsigned places)
{
    static atomic_int number;
    char name[64];
    *world = (struct world){.kind = kind, .service = service, .places = places};
    snprintf(name, sizeof(name), "%s@weir-drive-%d-%d", scheme, (int)getpid(),
             atomic_fetch_add(&number, 1));
    if (listener_open(name, 0, 0, &world->listener) < 0 || pipe2(world->stop, O_CLOEXEC) < 0 ||
        pthread_create(&world->thread, NULL, run, world) != 0)
        abort();
}

void world_start_at(struct world *world, enum kind kind, const struct weir_service *service,
                    const char *scheme)
{
    start(world, kind, service, scheme, 64);
}

void world_start(struct world *world, enum kind kind, const struct weir_service *service)
{
    start(world, kind, service, "unix:", 64);
}

void world_start_few(struct world *world, const struct weir_service *service, unsigned places)
{
    start(world, KIND_EPOLL, service, "unix:", places);
}

int world_client(struct world *world)
{
    const char *name = weir_listener_name(world->listener) + strlen("unix:@");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, name, strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&at,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) < 0)
        abort();
    return fd;
}

double world_cpu_s(struct world *world)
{
    clockid_t clock;
    struct timespec at;
    if (pthread_getcpuclockid(world->thread, &clock) != 0 || clock_gettime(clock, &at) < 0)
        abort();
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

void world_stop(struct world *world)
{
    close(world->stop[1]);
    pthread_join(world->thread, NULL);
    close(world->stop[0]);
    weir_listener_close(world->listener);
}
