/* Services, their methods, and the routes to them. */
#include "rpc/server.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_method(const struct weir_rpc_service *service, const char *name)
{
    size_t at = strlen(service->name) + 2;
    for (unsigned i = 0; i < service->method_count; i++)
        if (strcmp(service->methods[i].path + at, name) == 0)
            return true;
    return false;
}

/* Is every row for a method, and does each have one way to be answered? */
static bool is_usable(const struct weir_rpc_served *s)
{
    if (!s->service || (!s->implementation && s->method_count == 0))
        return false;
    for (unsigned i = 0; i < s->method_count; i++)
        if (!!s->methods[i].answer + !!s->methods[i].reactor != 1 ||
            !has_method(s->service, s->methods[i].method))
            return false;
    return true;
}

static int add(struct weir_rpc_server *server, const struct weir_rpc_served *given)
{
    if (!is_usable(given))
        return -EINVAL;
    if (server->count == LIMIT_RPC_SERVICES)
        return -ENOSPC;
    for (unsigned i = 0; i < server->count; i++)
        if (strcmp(server->served[i].given.service->name, given->service->name) == 0)
            return -EEXIST;
    size_t len = strlen(given->service->name);
    char *pattern = malloc(len + sizeof("//:method"));
    if (!pattern)
        return -ENOMEM;
    pattern[0] = '/';
    memcpy(pattern + 1, given->service->name, len);
    memcpy(pattern + 1 + len, "/:method", sizeof("/:method"));
    server->served[server->count++] =
        (struct served){.given = *given, .server = server, .pattern = pattern};
    return 0;
}

static int add_health(struct weir_rpc_server *server)
{
    const struct weir_rpc_served own = {
        .service = &health_service, .methods = health_methods, .method_count = 2};
    int rc = health_new(server);
    if (rc == 0)
        rc = add(server, &own);
    server->own += rc == 0;
    return rc;
}

static int add_reflection(struct weir_rpc_server *server)
{
    static const struct weir_rpc_streaming rows[] = {
        {.method = "ServerReflectionInfo", .reactor = &reflection_reactor}};
    const struct weir_rpc_service *const both[] = {&reflection_v1_service,
                                                   &reflection_v1alpha_service};
    int rc = 0;
    for (unsigned i = 0; i < 2 && rc == 0; i++) {
        rc = add(server,
                 &(struct weir_rpc_served){.service = both[i], .methods = rows, .method_count = 1});
        server->own += rc == 0;
    }
    return rc;
}

/* A program may bring a health or reflection service of its own. */
static int unless_there(int rc)
{
    return rc == -EEXIST ? 0 : rc;
}

WEIR_API int weir_rpc_serve(const struct weir_rpc_served *given, size_t count,
                            const struct weir_rpc_server_options *options,
                            struct weir_rpc_server **out)
{
    struct weir_rpc_server *server = calloc(1, sizeof(*server));
    int rc = server ? 0 : -ENOMEM;
    if (!server)
        return rc;
    if (options)
        server->options = *options;
    if (!server->options.receive_max)
        server->options.receive_max = LIMIT_RPC_MESSAGE;
    if (server->options.receive_max > LIMIT_RPC_MESSAGE_MOST)
        server->options.receive_max = LIMIT_RPC_MESSAGE_MOST;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add(server, &given[i]);
    if (rc == 0 && !server->options.no_health)
        rc = unless_there(add_health(server));
    if (rc == 0 && !server->options.no_reflection)
        rc = unless_there(add_reflection(server));
    if (rc < 0)
        weir_rpc_server_close(server);
    else
        *out = server;
    return rc;
}

WEIR_API size_t weir_rpc_routes(const struct weir_rpc_server *server, struct weir_route *out,
                                size_t max)
{
    for (unsigned i = 0; i < server->count && i < max; i++)
        out[i] = (struct weir_route){.method = WEIR_METHOD_POST,
                                     .pattern = server->served[i].pattern,
                                     .handler = &rpc_handler,
                                     .arg = &server->served[i]};
    return server->count;
}

WEIR_API void weir_rpc_server_close(struct weir_rpc_server *server)
{
    if (!server)
        return;
    for (unsigned i = 0; i < server->count; i++)
        free(server->served[i].pattern);
    health_free(server->health);
    free(server);
}
