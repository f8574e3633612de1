#include "service/sites.h"

#include "base/bytes.h"
#include "http/target.h"
#include "service/cgi_places.h"
#include "service/files.h"
#include "service/route.h"
#include "service/site_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A folder and its rules: what a site has, and each of its mounts. */
struct part {
    struct folder folder;
    struct rules rules;
};

struct host {
    struct part part;
    struct part *mounts;
    size_t mount_count; /* opened */
    struct route route;
    struct cgi cgi[LIMIT_MOUNTS];
    size_t cgi_count; /* opened */
};

struct sites {
    struct site_names names;
    struct host *hosts;
    size_t count; /* opened, or being opened */
    struct cgi_options cgi_options;
    struct cgi_places *places;
};

struct opening {
    struct sites *sites;
    const struct site_part *part;
    const char *what;
};

static int open_rules(struct opening *opening, struct rules *rules, const struct site_part *part)
{
    int rc = part->security ? rules_add_security(rules) : 0;
    for (size_t i = 0; i < part->fields.count && rc == 0; i++) {
        opening->what = part->fields.at[i];
        rc = rules_add_field(rules, opening->what);
    }
    for (size_t i = 0; i < part->redirects.count && rc == 0; i++) {
        opening->what = part->redirects.at[i];
        rc = rules_add_redirect(rules, opening->what);
    }
    return rc;
}

static int open_part(struct opening *opening, struct part *to, const struct site_part *part)
{
    opening->part = part;
    int rc = open_rules(opening, &to->rules, part);
    if (rc < 0)
        return rc;
    opening->what = NULL;
    return folder_open(&to->folder, part->root, &part->folder);
}

static int open_mounts(struct opening *opening, struct host *host, const struct site_part *site)
{
    int rc = site->mount_count > LIMIT_MOUNTS ? -ENOSPC : 0;
    host->mounts = calloc(site->mount_count + 1, sizeof(*host->mounts));
    if (!host->mounts)
        return -ENOMEM;
    for (size_t i = 0; i < site->mount_count && rc == 0; i++) {
        const struct site_part *part = &site->mounts[i];
        struct part *mount = &host->mounts[i];
        rc = open_part(opening, mount, part);
        if (rc < 0)
            break;
        host->mount_count++;
        opening->what = part->name;
        rc =
            route_add(&host->route, part->name, strlen(part->name), &files_handler, &mount->folder);
        if (rc == 0 && !route_prefix(part->name, strlen(part->name), &mount->folder.prefix))
            rc = -EINVAL;
    }
    return rc;
}

static int open_cgi(struct opening *opening, struct host *host, const struct site_part *site)
{
    struct sites *sites = opening->sites;
    unsigned max = sites->cgi_options.max ? sites->cgi_options.max : LIMIT_CGI_PLACES;
    int rc = site->cgi.count > LIMIT_MOUNTS ? -ENOSPC : 0;
    opening->part = site;
    if (site->cgi.count > 0 && !sites->places && rc == 0)
        rc = cgi_places_new(max, &sites->places);
    for (size_t i = 0; i < site->cgi.count && rc == 0; i++) {
        const char *mount = site->cgi.at[i];
        struct cgi *cgi = &host->cgi[i];
        opening->what = mount;
        rc = cgi_open(cgi, mount, site->root, &sites->cgi_options, sites->places);
        if (rc < 0)
            break;
        host->cgi_count++;
        rc = route_add(&host->route, mount, strcspn(mount, "="), &cgi_handler, cgi);
    }
    return rc;
}

static int open_names(struct opening *opening, const struct site_part *site, unsigned number)
{
    int rc = -EINVAL;
    for (const char *at = site->name; *at;) {
        size_t space = strspn(at, " "), len = strcspn(at + space, " ");
        opening->part = site;
        opening->what = at + space;
        rc = 0;
        if (len > 0)
            rc = site_names_add(&opening->sites->names, (struct weir_bytes){at + space, len},
                                number);
        if (rc < 0)
            return rc;
        at += space + len;
    }
    return rc;
}

static int open_hosts(struct opening *opening, const struct sites_options *options)
{
    struct sites *sites = opening->sites;
    int rc = options->count > LIMIT_SITES ? -ENOSPC : 0;
    for (size_t i = 0; i < options->count && rc == 0; i++) {
        struct host *host = &sites->hosts[i];
        const struct site_part *site = &options->at[i];
        host->part.folder = (struct folder){.root = -1, .store = {.dir = -1}};
        sites->count++;
        rc = open_names(opening, site, (unsigned)i);
        if (rc == 0)
            rc = open_part(opening, &host->part, site);
        if (rc == 0)
            rc = open_mounts(opening, host, site);
        if (rc == 0)
            rc = open_cgi(opening, host, site);
    }
    return rc;
}

int sites_open(const struct sites_options *options, const struct cgi_options *cgi,
               struct sites **out, const struct site_part **out_part, const char **out_what)
{
    struct sites *sites = calloc(1, sizeof(*sites));
    if (!sites)
        return -ENOMEM;
    struct opening opening = {.sites = sites};
    sites->cgi_options = *cgi;
    sites->names.other = -1;
    sites->names.slots = calloc(SITE_NAME_SLOTS, sizeof(*sites->names.slots));
    sites->hosts = calloc(options->count + 1, sizeof(*sites->hosts));
    int rc = -ENOMEM;
    if (sites->names.slots && sites->hosts)
        rc = open_hosts(&opening, options);
    if (rc < 0) {
        sites_close(sites);
        *out_part = opening.part;
        *out_what = opening.what;
        return rc;
    }
    *out = sites;
    return 0;
}

static void close_host(struct host *host)
{
    folder_close(&host->part.folder);
    for (size_t i = 0; i < host->mount_count; i++)
        folder_close(&host->mounts[i].folder);
    free(host->mounts);
    for (size_t i = 0; i < host->cgi_count; i++)
        cgi_close(&host->cgi[i]);
}

void sites_close(struct sites *sites)
{
    if (!sites)
        return;
    for (size_t i = 0; i < sites->count; i++)
        close_host(&sites->hosts[i]);
    free(sites->hosts);
    free(sites->names.slots);
    cgi_places_free(sites->places);
    free(sites);
}

static int misdirected(struct weir_exchange *x)
{
    return weir_reply_error(x, 421);
}

static const struct weir_handler misdirected_handler = {.name = "misdirected",
                                                        .start = misdirected};

static void find_mount(const struct host *host, struct weir_bytes path, struct sites_answer *out)
{
    const struct mount *mount = host->route.count > 0 ? route_find(&host->route, path) : NULL;
    if (!mount)
        return;
    out->handler = mount->handler;
    out->config = mount->config;
    if (mount->handler != &files_handler)
        return;
    for (size_t i = 0; i < host->mount_count; i++)
        if (&host->mounts[i].folder == mount->config)
            out->mount = i;
    out->rules = &host->mounts[out->mount].rules;
}

void sites_find(const struct sites *sites, struct weir_bytes name, struct weir_bytes path,
                struct sites_answer *out)
{
    int number = site_names_find(&sites->names, name);
    *out =
        (struct sites_answer){.site = SIZE_MAX, .mount = SIZE_MAX, .handler = &misdirected_handler};
    if (number < 0)
        return;
    const struct host *host = &sites->hosts[number];
    out->site = (size_t)number;
    out->rules = &host->part.rules;
    out->handler = &files_handler;
    out->config = &host->part.folder;
    if (path.len == 0)
        return;
    find_mount(host, path, out);
    out->redirect = rules_find(&host->part.rules, path);
    if (out->redirect) {
        out->handler = &redirect_handler;
        out->config = out->redirect;
    }
}

static void find_answer(const struct sites *sites, const struct weir_exchange *x,
                        struct sites_answer *out)
{
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes raw = weir_request_path(x), path = {0};
    if (raw.len == 0 || raw.at[0] != '/' ||
        path_clean(raw, buffer, sizeof(buffer), &path) != PATH_CLEAN)
        path = (struct weir_bytes){0}; /* the files say what is wrong with it */
    sites_find(sites, weir_request_host(x), path, out);
}

const struct weir_handler *sites_route(const struct sites *sites, struct weir_exchange *x,
                                       const void **out_config)
{
    struct sites_answer answer;
    find_answer(sites, x, &answer);
    *out_config = answer.config;
    bool files = answer.handler == &files_handler;
    /* An address inside the server that another one led to has them already. */
    if (answer.rules && x->reroutes == 0 && rules_set_fields(answer.rules, x, files) < 0)
        return NULL;
    return answer.handler;
}

bool sites_error_page(const struct sites *sites, struct weir_exchange *x, unsigned status)
{
    struct sites_answer answer;
    find_answer(sites, x, &answer);
    if (answer.site == SIZE_MAX)
        return false;
    const struct folder *folder = &sites->hosts[answer.site].part.folder;
    /* What was set for an answer that failed is gone; errors carry the fields of the site, too. */
    if (x->lines.len == 0 &&
        rules_set_fields(answer.rules, x, folder_error_page(folder, status) != NULL) < 0)
        return false;
    return files_error_page(folder, x, status);
}

bool sites_code(const struct sites *sites)
{
    for (size_t i = 0; i < sites->count; i++)
        if (!sites->hosts[i].part.folder.made)
            return false;
    return true;
}
