#include "service/site.h"

#include "service/files.h"
#include "service/local.h"
#include "tbl/limits.h"

#include <weir/driver.h>
#include <weir/server.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct site {
    struct weir_service service; /* the first: weir_files_close() gets it back */
    struct weir_http http;
    struct files files;
    struct access_log log;
};

static const struct weir_handler *site_route(const struct weir_http *http, struct weir_exchange *x,
                                             const void **out_config)
{
    const struct site *site = http->arg;
    (void)x;
    *out_config = &site->files;
    return &files_handler;
}

static void site_ended(const struct weir_http *http, struct weir_exchange *x, int why)
{
    const struct site *site = http->arg;
    struct local *local = weir_exchange_driver(x)->local;
    (void)why;
    access_log_add(&site->log, &local->log, x);
}

static int worker_start(struct weir_driver *driver, void *arg)
{
    struct site *site = arg;
    struct local *local = calloc(1, sizeof(*local));
    if (!local)
        return -ENOMEM;
    local->files.budget = &site->files.budget;
    driver->local = local;
    return 0;
}

static void worker_end(struct weir_driver *driver, void *arg)
{
    struct site *site = arg;
    struct local *local = driver->local;
    if (!local)
        return;
    access_log_done(&site->log, &local->log);
    file_cache_done(&local->files);
    free(local);
    driver->local = NULL;
}

static uint64_t idle(struct weir_driver *driver, void *arg)
{
    struct site *site = arg;
    struct local *local = driver->local;
    uint64_t log = access_log_idle(&site->log, &local->log, driver->now.mono_ns);
    uint64_t files = file_cache_expire(&local->files, driver->now.mono_ns);
    return log && (!files || log < files) ? log : files;
}

/* A 16th of the descriptors there may be: most are for connections, and each may want a file of its own. */
static unsigned open_files_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    rlim_t share = limit.rlim_max / 16;
    return share < LIMIT_FILE_CACHE_OPEN ? (unsigned)share : LIMIT_FILE_CACHE_OPEN;
}

static void set_http(struct site *site, const struct weir_http *http)
{
    site->http = *http;
    if (!site->http.body_ms)
        site->http.body_ms = http->idle_ms;
    if (!site->http.send_ms)
        site->http.send_ms = http->idle_ms;
    site->http.arg = site;
    site->http.route = site_route;
    site->http.ended = site->log.fd >= 0 ? site_ended : NULL;
}

int site_open(const struct site_options *options, struct site **out)
{
    struct site *site = calloc(1, sizeof(*site));
    if (!site)
        return -ENOMEM;
    site->files.root = -1;
    site->log.fd = -1;
    site->files.budget.max = open_files_max();
    int rc = file_root_open(options->root, &site->files.root);
    if (rc == 0)
        rc = access_log_open(&site->log, options->access_log);
    if (rc < 0) {
        site_close(site);
        return rc;
    }
    set_http(site, &options->http);
    site->service = (struct weir_service){
        .name = "http",
        .protocol = &weir_http1,
        .config = &site->http,
        .arg = site,
        .client_first = true,
        .threads = true,
        .worker_start = worker_start,
        .worker_end = worker_end,
        .idle = idle,
    };
    *out = site;
    return 0;
}

const struct weir_service *site_service(const struct site *site)
{
    return &site->service;
}

void site_close(struct site *site)
{
    if (!site)
        return;
    if (site->files.root >= 0)
        close(site->files.root);
    access_log_close(&site->log);
    free(site);
}

int weir_files_open(const char *root, const struct weir_files_options *options,
                    const struct weir_service **out)
{
    struct site_options site_options = {.root = root};
    if (options) {
        site_options.access_log = options->access_log;
        site_options.http = options->http;
    }
    struct site *site;
    int rc = site_open(&site_options, &site);
    if (rc == 0)
        *out = site_service(site);
    return rc;
}

void weir_files_close(const struct weir_service *service)
{
    site_close((struct site *)(uintptr_t)service);
}
