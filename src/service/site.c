#include "service/site.h"

#include "http/target.h"
#include "service/files.h"
#include "service/local.h"
#include "service/places.h"
#include "service/route.h"
#include "tbl/limits.h"

#include <weir/driver.h>
#include <weir/server.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct site {
    struct weir_service service; /* the first: weir_files_close() gets it back */
    struct weir_beside log_process;
    struct weir_http http;
    struct folder folder;
    struct file_budget budget;
    struct file_cache_options cache;
    struct account account;
    struct route route;  /* what is not answered by the files of the folder */
    struct sites *sites; /* NULL: one, for every name */
    struct guards guards;
    bool own_logs; /* some sites have access logs of their own */
    struct cgi_options cgi_options;
    struct places *cgi_places;
    struct cgi cgi[LIMIT_MOUNTS];
    unsigned cgi_count;
};

static const struct mount *find_mount(const struct site *site, const struct weir_exchange *x)
{
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path;
    if (path_clean(weir_request_path(x), buffer, sizeof(buffer), &path) != PATH_CLEAN)
        return NULL; /* the files say what is wrong with it */
    return route_find(&site->route, path);
}

static int scarce(struct weir_exchange *x)
{
    (void)x;
    return -ENOMEM;
}
static const struct weir_handler scarce_handler = {.name = "scarce", .start = scarce};

static const struct weir_handler *site_route(const struct weir_http *http, struct weir_exchange *x,
                                             const void **out_config)
{
    const struct site *site = http->arg;
    if (guards_believe(&site->guards, x) < 0)
        return &scarce_handler;
    const struct mount *mount = site->route.count > 0 ? find_mount(site, x) : NULL;
    if (mount) {
        *out_config = mount->config;
        return mount->handler;
    }
    if (site->sites)
        return sites_route(site->sites, x, out_config);
    *out_config = &site->folder;
    return &files_handler;
}

static bool site_error_page(const struct weir_http *http, struct weir_exchange *x, unsigned status)
{
    const struct site *site = http->arg;
    if (site->sites)
        return sites_error_page(site->sites, x, status);
    return files_error_page(&site->folder, x, status);
}

static void site_ended(const struct weir_http *http, struct weir_exchange *x, int why)
{
    struct local *local = weir_exchange_driver(x)->local;
    const struct site *site = http->arg;
    account_ended(&local->account, x, site->own_logs ? sites_log(site->sites, x) : 0, why);
}

static void site_connection(const struct weir_http *http, struct weir_conn *conn, bool opened,
                            int why)
{
    struct weir_driver *driver = weir_conn_driver(conn);
    struct local *local = driver->local;
    (void)http;
    account_connection(&local->account, driver, conn, opened, why);
}

static bool site_admit(const struct weir_http *http, struct weir_conn *conn, uint64_t *out_mark)
{
    struct site *site = http->arg;
    return guards_admit(&site->guards, conn, out_mark);
}

static void site_released(const struct weir_http *http, uint64_t mark)
{
    struct site *site = http->arg;
    guards_released(&site->guards, mark);
}

static int helper(const struct weir_helper *helper, void *arg)
{
    struct site *site = arg;
    return logs_run(helper, &site->account.logs);
}

static int worker_start(struct weir_driver *driver, void *arg)
{
    struct site *site = arg;
    struct local *local = calloc(1, sizeof(*local));
    if (!local)
        return -ENOMEM;
    local->files.budget = &site->budget;
    local->files.options = site->cache;
    local->coding.resume = files_resume;
    account_begin(&site->account, &local->account);
    driver->local = local;
    return 0;
}

static void worker_end(struct weir_driver *driver, void *arg)
{
    struct local *local = driver->local;
    (void)arg;
    if (!local)
        return;
    account_end(&local->account);
    file_cache_done(&local->files);
    free(local);
    driver->local = NULL;
}

static uint64_t idle(struct weir_driver *driver, void *arg)
{
    struct local *local = driver->local;
    (void)arg;
    account_let_go(&local->account);
    return file_cache_expire(&local->files, driver->now.mono_ns);
}

/* A 16th of the descriptors there may be, unless told otherwise: most are for connections, and each may want a file of its own. */
static unsigned open_files_max(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    rlim_t share = wanted ? limit.rlim_max / 2 : limit.rlim_max / 16;
    unsigned most = wanted ? wanted : LIMIT_FILE_CACHE_OPEN;
    return share < most ? (unsigned)share : most;
}

static void set_http(struct site *site, const struct site_options *options)
{
    const struct weir_http *http = &options->http;
    site->http = *http;
    if (!site->http.body_ms)
        site->http.body_ms = http->idle_ms;
    if (!site->http.send_ms)
        site->http.send_ms = http->idle_ms;
    site->http.arg = site;
    site->http.route = site_route;
    account_set_http(&site->account, &options->account, &site->http, site_ended, site_connection);
    bool counted = site->guards.headcount != NULL;
    site->http.admit = counted ? site_admit : NULL;
    site->http.released = counted ? site_released : NULL;
    bool pages = site->sites || site->folder.page_count > 0;
    site->http.error_page = pages ? site_error_page : NULL;
}

static int open_cgi(struct site *site, const struct site_options *options)
{
    const struct site_mounts *mounts = &options->cgi;
    unsigned max = options->cgi_options.max;
    site->cgi_options = options->cgi_options;
    int rc = 0;
    if (mounts->count > 0)
        rc = places_new(max ? max : LIMIT_CGI_PLACES, &site->cgi_places);
    if (mounts->count > LIMIT_MOUNTS)
        rc = -ENOSPC;
    for (size_t i = 0; i < mounts->count && rc == 0; i++) {
        struct cgi *cgi = &site->cgi[i];
        rc = cgi_open(cgi, mounts->at[i], options->root, &site->cgi_options, site->cgi_places);
        if (rc < 0)
            break;
        site->cgi_count++;
        const char *prefix = mounts->at[i];
        rc = route_add(&site->route, prefix, strcspn(prefix, "="), &cgi_handler, cgi);
    }
    return rc;
}

static bool same_name(const char *a, const char *b)
{
    bool off_a = log_sink_kind(a) == LOG_SINK_OFF, off_b = log_sink_kind(b) == LOG_SINK_OFF;
    return off_a || off_b ? off_a == off_b : strcmp(a, b) == 0;
}

/* Sites that name the same log share it. */
static int open_account(struct site *site, const struct site_options *options)
{
    const char *names[LIMIT_SITE_LOGS];
    struct account_options account = options->account;
    size_t count = 0, sites = site->sites ? options->sites->count : 0;
    for (size_t i = 0; i < sites; i++) {
        const char *name = options->sites->at[i].access_log;
        size_t k = 0;
        if (same_name(name, account.logs.access))
            continue;
        site->own_logs = true;
        while (k < count && !same_name(names[k], name))
            k++;
        bool off = log_sink_kind(name) == LOG_SINK_OFF;
        if (k == count && !off && count == LIMIT_SITE_LOGS)
            return -ENOSPC;
        if (k == count && !off)
            names[count++] = name;
        sites_set_log(site->sites, i, off ? LOGS_NONE : (unsigned)k + 1);
    }
    account.logs.sites.at = names;
    account.logs.sites.count = count;
    return account_open(&site->account, &account, &site->route);
}

int site_open(const struct site_options *options, struct site **out)
{
    struct site *site = calloc(1, sizeof(*site));
    if (!site)
        return -ENOMEM;
    site->cache = options->cache;
    file_cache_defaults(&site->cache);
    site->budget.max = open_files_max(options->cache.open_files);
    site->folder = (struct folder){.root = -1, .store = {.dir = -1}};
    int rc = guards_open(&site->guards, &options->guards);
    if (rc == 0 && options->sites)
        rc = sites_open(options->sites, &options->cgi_options, &site->guards, &site->sites,
                        options->out_wrong);
    else if (rc == 0)
        rc = folder_open(&site->folder, options->root, &options->folder);
    if (rc == 0)
        rc = open_account(site, options);
    if (rc == 0)
        rc = open_cgi(site, options);
    if (rc < 0) {
        site_close(site);
        return rc;
    }
    set_http(site, options);
    site->log_process = (struct weir_beside){"the process that writes logs", helper, site};
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
        .beside = &site->log_process,
        .beside_count = logs_wanted(&site->account.logs),
    };
    *out = site;
    return 0;
}

bool site_codes(const struct site *site)
{
    return site->sites ? sites_code(site->sites) : site->folder.made != 0;
}

const struct weir_service *site_service(const struct site *site)
{
    return &site->service;
}

void site_report(const struct site *site, enum weir_report kind, const char *text)
{
    static const enum log_level levels[] = {[WEIR_REPORT_READY] = LOG_LEVEL_NOTICE,
                                            [WEIR_REPORT_WARNING] = LOG_LEVEL_WARNING,
                                            [WEIR_REPORT_ERROR] = LOG_LEVEL_ERROR,
                                            [WEIR_REPORT_INFO] = LOG_LEVEL_NOTICE};
    logs_tell_server(&site->account.logs, levels[kind], text);
}

void site_close(struct site *site)
{
    if (!site)
        return;
    folder_close(&site->folder);
    sites_close(site->sites);
    account_close(&site->account);
    guards_close(&site->guards);
    for (unsigned i = 0; i < site->cgi_count; i++)
        cgi_close(&site->cgi[i]);
    places_free(site->cgi_places);
    free(site);
}

int weir_files_open(const char *root, const struct weir_files_options *options,
                    const struct weir_service **out)
{
    struct site_options site_options = {.root = root};
    if (options) {
        site_options.account.logs.access = options->access_log;
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
