/* An application: a table of routes and folders beside it, as a service. */
#include "base/bytes.h"
#include "http/target.h"
#include "service/answer.h"
#include "service/files.h"
#include "service/local.h"
#include "service/routes.h"
#include "tbl/limits.h"

#include <weir/driver.h>
#include <weir/server.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct app {
    struct weir_service service; /* first: weir_routes_close() gets it back */
    struct weir_http http;
    struct routes routes;
    struct route mounts;
    struct folder folders[LIMIT_MOUNTS];
    unsigned folder_count;
    struct file_budget budget;
    struct file_cache_options cache;
};

/* Finds what a request is for. PATH_CLEAN; with *out_mount a folder if no row fits. */
static enum path_error find(const struct app *app, const struct weir_exchange *x,
                            const struct weir_route **out_row, const struct mount **out_mount,
                            unsigned *out_allowed)
{
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path;
    *out_row = NULL;
    *out_mount = NULL;
    *out_allowed = 0;
    enum path_error error = path_clean(weir_request_path(x), buffer, sizeof(buffer), &path);
    if (error != PATH_CLEAN)
        return error;
    *out_row = routes_find(&app->routes, weir_request_method(x), path, out_allowed);
    if (*out_allowed == 0)
        *out_mount = route_find(&app->mounts, path);
    return PATH_CLEAN;
}

/* Nobody answers this: says who would. */
static int nobody_start(struct weir_exchange *x)
{
    const struct weir_route *row;
    const struct mount *mount;
    char text[ROUTES_ALLOW_MAX];
    unsigned allowed;
    if (find(x->http->arg, x, &row, &mount, &allowed) == PATH_MALFORMED)
        return -EINVAL;
    if (allowed == 0)
        return -ENOENT;
    int rc = weir_reply_field(x, "Allow", routes_allow(allowed, text));
    if (rc < 0)
        return rc;
    if (weir_request_method(x) != WEIR_METHOD_OPTIONS)
        return weir_reply_error(x, 405);
    rc = weir_reply_status(x, 204);
    return rc < 0 ? rc : weir_reply_begin(x);
}

static const struct weir_handler nobody = {.name = "nobody", .start = nobody_start};

/* A call of gRPC is for no file. 404 is what its clients understand: there is no such method. */
static bool is_call(const struct weir_exchange *x)
{
    struct weir_bytes type;
    return weir_request_method(x) == WEIR_METHOD_POST &&
           weir_request_field(x, "content-type", &type) &&
           bytes_starts(type, BYTES("application/grpc"));
}

static const struct weir_handler *app_route(const struct weir_http *http, struct weir_exchange *x,
                                            const void **out_config)
{
    struct local *local = weir_exchange_driver(x)->local;
    enum weir_method method = weir_request_method(x);
    struct weir_bytes path = weir_request_path(x);
    const struct weir_route *row = routes_recall(&local->route, method, path);
    const struct mount *mount = NULL;
    unsigned allowed;
    if (bytes_equal(path, BYTES("*")))
        return NULL; /* OPTIONS of the server as a whole */
    if (!row) {
        (void)find(http->arg, x, &row, &mount, &allowed);
        routes_remember(&local->route, method, path, row);
    }
    if (row) {
        *out_config = row;
        return row->answer ? &answer_handler : row->handler;
    }
    if (mount && !is_call(x)) {
        *out_config = mount->config;
        return mount->handler;
    }
    return &nobody;
}

const char *weir_route_parameter(struct weir_exchange *x, const char *name)
{
    struct weir_bytes path = weir_request_path(x);
    char *text = weir_exchange_alloc(x, path.len + 1);
    return text && route_parameter(weir_exchange_config(x), path, name, text) == 0 ? text : NULL;
}

static int worker_start(struct weir_driver *driver, void *arg)
{
    struct app *app = arg;
    struct local *local = calloc(1, sizeof(*local));
    if (!local)
        return -ENOMEM;
    local->files.budget = &app->budget;
    local->files.options = app->cache;
    local->coding.resume = files_resume;
    driver->local = local;
    return 0;
}

static void worker_end(struct weir_driver *driver, void *arg)
{
    struct local *local = driver->local;
    (void)arg;
    if (local)
        file_cache_done(&local->files);
    free(local);
    driver->local = NULL;
}

static uint64_t idle(struct weir_driver *driver, void *arg)
{
    struct local *local = driver->local;
    (void)arg;
    return file_cache_expire(&local->files, driver->now.mono_ns);
}

static int add_folder(struct app *app, const struct weir_route *row)
{
    const char *pattern = row->pattern ? row->pattern : "";
    if (app->folder_count == LIMIT_MOUNTS)
        return -ENOSPC;
    struct folder *folder = &app->folders[app->folder_count];
    struct folder_options options = {0};
    struct weir_bytes prefix;
    if (!route_prefix(pattern, strlen(pattern), &prefix))
        return -EINVAL;
    int rc = folder_open(folder, row->files, &options);
    if (rc < 0)
        return rc;
    folder->prefix = prefix;
    app->folder_count++;
    return route_add(&app->mounts, pattern, strlen(pattern), &files_handler, folder);
}

static int add_row(struct app *app, const struct weir_route *row)
{
    if (!!row->answer + !!row->handler + !!row->files != 1)
        return -EINVAL;
    return row->files ? add_folder(app, row) : routes_add(&app->routes, row);
}

/* A 16th of the descriptors there may be: most are for connections. */
static unsigned open_files_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    return limit.rlim_max / 16 < LIMIT_FILE_CACHE_OPEN ? (unsigned)(limit.rlim_max / 16)
                                                       : LIMIT_FILE_CACHE_OPEN;
}

static void set_service(struct app *app, const struct weir_routes_options *options)
{
    if (options)
        app->http = options->http;
    app->http.route = app_route;
    app->http.ended = NULL;
    app->http.error_page = NULL;
    app->http.connection = NULL;
    app->http.arg = app;
    file_cache_defaults(&app->cache);
    app->budget.max = open_files_max();
    app->service = (struct weir_service){
        .name = "http",
        .protocol = &weir_http1,
        .config = &app->http,
        .arg = app,
        .client_first = true,
        .threads = true,
        .worker_start = worker_start,
        .worker_end = worker_end,
        .idle = idle,
    };
}

int weir_routes_open(const struct weir_route *rows, size_t count,
                     const struct weir_routes_options *options, const struct weir_service **out,
                     size_t *out_wrong)
{
    struct app *app = calloc(1, sizeof(*app));
    if (!app)
        return -ENOMEM;
    set_service(app, options);
    for (size_t i = 0; i < count; i++) {
        int rc = add_row(app, &rows[i]);
        if (rc < 0) {
            if (out_wrong)
                *out_wrong = i;
            weir_routes_close(&app->service);
            return rc;
        }
    }
    *out = &app->service;
    return 0;
}

void weir_routes_close(const struct weir_service *service)
{
    struct app *app = (struct app *)(uintptr_t)service;
    for (unsigned i = 0; app && i < app->folder_count; i++)
        folder_close(&app->folders[i]);
    free(app);
}
