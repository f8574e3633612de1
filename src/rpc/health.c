/* grpc.health.v1.Health. What is said of each service lies in memory that all processes of the server share, made before them. */
#include "base/bytes.h"
#include "rpc/server.h"
#include "rpc/service_files.h"
#include "rpc/tiny.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HEALTH_UNKNOWN, HEALTH_SERVING, HEALTH_NOT_SERVING, HEALTH_NO_SERVICE };

struct rpc_health {
    _Atomic uint8_t down[LIMIT_RPC_SERVICES + 1]; /* the last one: the server as a whole */
};

/* Of a reactor that watches, in its context's tick: what it told last. */
struct watch {
    struct weir_bytes name;
    int told;
};

int health_new(struct weir_rpc_server *server)
{
    void *at = mmap(NULL, sizeof(struct rpc_health), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    server->health = at;
    return 0;
}

void health_free(struct rpc_health *health)
{
    if (health)
        munmap(health, sizeof(*health));
}

/* The flag's place; < 0: no such service. */
static int place_of(const struct weir_rpc_server *server, struct weir_bytes name)
{
    if (name.len == 0)
        return LIMIT_RPC_SERVICES;
    for (unsigned i = 0; i < server->count; i++)
        if (bytes_equal(bytes_str(server->served[i].given.service->name), name))
            return (int)i;
    return -ENOENT;
}

static int health_of(const struct weir_rpc_server *server, struct weir_bytes name)
{
    int place = place_of(server, name);
    if (place < 0)
        return HEALTH_NO_SERVICE;
    return atomic_load_explicit(&server->health->down[place], memory_order_relaxed)
               ? HEALTH_NOT_SERVING
               : HEALTH_SERVING;
}

WEIR_API int weir_rpc_set_health(struct weir_rpc_server *server, const char *service, bool serving)
{
    int place = server->health ? place_of(server, bytes_str(service)) : -ENOENT;
    if (place < 0)
        return place;
    atomic_store_explicit(&server->health->down[place], !serving, memory_order_relaxed);
    return 0;
}

static struct weir_bytes name_in(struct weir_bytes request)
{
    struct weir_bytes name = {"", 0};
    for (struct tiny_field field; tiny_next(&request, &field);)
        if (field.number == 1 && field.bytes.at)
            name = field.bytes;
    return name;
}

static void say(struct weir_rpc_context *c, int health)
{
    const uint8_t answer[] = {1 << 3, (uint8_t)health};
    (void)!weir_rpc_write_bytes(c, answer, sizeof(answer));
}

/* --- Check --- */

static void check(struct weir_rpc_context *c, void *arg, struct weir_bytes request)
{
    int health = health_of(c->served->server, name_in(request));
    (void)arg;
    if (health == HEALTH_NO_SERVICE)
        (void)weir_rpc_fail(c, WEIR_RPC_NOT_FOUND, "no such service", (struct weir_bytes){0});
    else
        say(c, health);
    weir_rpc_done(c);
}

static void ended(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    if (!c->slot) {
        (void)weir_rpc_fail(c, WEIR_RPC_INTERNAL, "there must be one message, and there is not",
                            (struct weir_bytes){0});
        weir_rpc_done(c);
    }
}

/* --- Watch --- */

static void look(struct weir_rpc_context *c, void *arg)
{
    struct watch *watch = c->slot;
    (void)arg;
    int health = health_of(c->served->server, watch->name);
    if (health != watch->told)
        say(c, health);
    watch->told = health;
    uint64_t now = weir_exchange_driver(c->x)->now.mono_ns;
    weir_rpc_tick(c, now + LIMIT_RPC_HEALTH_WATCH_MS * WEIR_NS_PER_MS);
}

static void watch(struct weir_rpc_context *c, void *arg, struct weir_bytes request)
{
    struct weir_bytes name = name_in(request);
    if (c->slot)
        return;
    struct watch *w = malloc(sizeof(*w) + name.len);
    if (!w) {
        (void)weir_rpc_fail(c, WEIR_RPC_RESOURCE_EXHAUSTED, "no memory", (struct weir_bytes){0});
        weir_rpc_done(c);
        return;
    }
    memcpy(w + 1, name.at, name.len);
    *w = (struct watch){.name = {(char *)(w + 1), name.len}, .told = HEALTH_UNKNOWN};
    c->slot = w;
    look(c, arg);
}

static void leave(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    (void)weir_rpc_fail(c, WEIR_RPC_UNAVAILABLE, "the server stops", (struct weir_bytes){0});
    weir_rpc_done(c);
}

static void over(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    free(c->slot);
    c->slot = NULL;
}

static const struct weir_rpc_reactor checks = {.bytes = check, .ended = ended};
static const struct weir_rpc_reactor watches = {
    .bytes = watch, .ended = ended, .tick = look, .leave = leave, .over = over};

const struct weir_rpc_streaming health_methods[2] = {
    {.method = "Check", .reactor = &checks},
    {.method = "Watch", .reactor = &watches},
};

static const struct weir_rpc_method methods[] = {
    {.path = "/grpc.health.v1.Health/Check"},
    {.path = "/grpc.health.v1.Health/Watch", .server_streaming = true},
};

const struct weir_rpc_service health_service = {
    .name = "grpc.health.v1.Health",
    .methods = methods,
    .method_count = 2,
    .file = &health_file,
};
