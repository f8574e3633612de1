#include "service/sites.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/reroute.h"
#include "http/target.h"
#include "service/files.h"
#include "service/places.h"
#include "service/sites_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct opening {
    struct sites *sites;
    const struct site_part *part;
    const char *what;
    struct sites_wrong *wrong;
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
    for (size_t i = 0; i < part->rewrites.count && rc == 0; i++) {
        opening->what = part->rewrites.at[i];
        rc = rules_add_rewrite(rules, opening->what);
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

/* Is it that of a mount, and not of other programs? */
static bool is_mount(const struct host *host, struct weir_bytes prefix)
{
    const struct mount *mount = route_find(&host->route, prefix);
    return mount && mount->handler == &files_handler && bytes_equal(mount->prefix, prefix);
}

static int open_cgi(struct opening *opening, struct host *host, const struct site_part *site)
{
    struct sites *sites = opening->sites;
    unsigned max = sites->cgi_options.max ? sites->cgi_options.max : LIMIT_CGI_PLACES;
    int rc = site->cgi.count > LIMIT_MOUNTS ? -ENOSPC : 0;
    opening->part = site;
    if (site->cgi.count > 0 && !sites->places && rc == 0)
        rc = places_new(max, &sites->places);
    for (size_t i = 0; i < site->cgi.count && rc == 0; i++) {
        const char *mount = site->cgi.at[i];
        struct cgi *cgi = &host->cgi[i];
        opening->what = mount;
        rc = cgi_open(cgi, mount, site->root, &sites->cgi_options, sites->places);
        if (rc < 0)
            break;
        host->cgi_count++;
        rc = route_add(&host->route, mount, strcspn(mount, "="), &cgi_handler, cgi);
        if (rc == -EEXIST && is_mount(host, cgi->prefix)) { /* its files are programs, then */
            route_change(&host->route, mount, strcspn(mount, "="), &cgi_handler, cgi);
            rc = 0;
        }
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
        if (rc < 0)
            break;
        rc = sites_open_guards(sites, host, site, opening->wrong);
        if (rc < 0) {
            opening->part = opening->wrong->part;
            opening->what = opening->wrong->what;
        }
    }
    return rc;
}

int sites_open(const struct sites_options *options, const struct cgi_options *cgi,
               struct guards *guards, struct sites **out, struct sites_wrong *out_wrong)
{
    struct sites *sites = calloc(1, sizeof(*sites));
    if (!sites)
        return -ENOMEM;
    *out_wrong = (struct sites_wrong){.part = NULL};
    struct opening opening = {.sites = sites, .wrong = out_wrong};
    sites->cgi_options = *cgi;
    sites->guards = guards;
    sites->names.other = -1;
    sites->names.slots = calloc(SITE_NAME_SLOTS, sizeof(*sites->names.slots));
    sites->hosts = calloc(options->count + 1, sizeof(*sites->hosts));
    int rc = -ENOMEM;
    if (sites->names.slots && sites->hosts)
        rc = open_hosts(&opening, options);
    if (rc < 0) {
        sites_close(sites);
        out_wrong->part = opening.part;
        out_wrong->what = opening.what;
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
    sites_close_guards(sites);
    free(sites->hosts);
    free(sites->names.slots);
    places_free(sites->places);
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
    if (mount->handler != &files_handler) {
        for (size_t i = 0; i < host->cgi_count; i++)
            if (&host->cgi[i] == mount->config)
                out->guard = host->cgi_guard[i];
        return;
    }
    for (size_t i = 0; i < host->mount_count; i++)
        if (&host->mounts[i].folder == mount->config)
            out->mount = i;
    out->rules = &host->mounts[out->mount].rules;
    out->guard = &host->mounts[out->mount].guard;
}

/* Where a rewrite leads to. Its path is clean again; empty: no file can have it, or it is too long for anybody. */
static struct weir_bytes rewrite(const struct redirect *rule, struct weir_bytes path,
                                 struct weir_bytes query, struct sites_room *room,
                                 struct sites_answer *out)
{
    struct text t;
    struct weir_bytes clean = {0};
    text_init(&t, room->target, sizeof(room->target));
    redirect_target(rule, path, query, &t);
    if (t.cut)
        return clean;
    out->target = (struct weir_bytes){t.at, t.len};
    const char *mark = memchr(t.at, '?', t.len);
    struct weir_bytes raw = {t.at, mark ? (size_t)(mark - t.at) : t.len};
    if (path_clean(raw, room->path, sizeof(room->path), &clean) != PATH_CLEAN)
        return (struct weir_bytes){0};
    return clean;
}

static void find_place(const struct host *host, struct weir_bytes path, struct weir_bytes query,
                       struct sites_room *room, struct sites_answer *out)
{
    out->redirect = rules_find(&host->part.rules.redirects, path);
    if (out->redirect) {
        find_mount(host, path, out); /* what guards it, and its fields */
        out->handler = &redirect_handler;
        out->config = out->redirect;
        return;
    }
    out->rewrite = rules_find(&host->part.rules.rewrites, path);
    if (out->rewrite)
        path = rewrite(out->rewrite, path, query, room, out);
    if (path.len > 0)
        find_mount(host, path, out);
}

/* Without a room: where it is now; it was moved already. */
static void find(const struct sites *sites, struct weir_bytes name, struct weir_bytes path,
                 struct weir_bytes query, struct sites_room *room, struct sites_answer *out)
{
    int number = site_names_find(&sites->names, name);
    *out =
        (struct sites_answer){.site = SIZE_MAX, .mount = SIZE_MAX, .handler = &misdirected_handler};
    if (number < 0)
        return;
    const struct host *host = &sites->hosts[number];
    out->site = (size_t)number;
    out->rules = &host->part.rules;
    out->guard = &host->part.guard;
    out->handler = &files_handler;
    out->config = &host->part.folder;
    if (path.len > 0 && room)
        find_place(host, path, query, room, out);
    else if (path.len > 0)
        find_mount(host, path, out);
}

void sites_find(const struct sites *sites, struct weir_bytes name, struct weir_bytes path,
                struct weir_bytes query, struct sites_room *room, struct sites_answer *out)
{
    find(sites, name, path, query, room, out);
}

static void find_answer(const struct sites *sites, const struct weir_exchange *x,
                        struct sites_room *room, struct sites_answer *out)
{
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes raw = weir_request_path(x), path = {0};
    if (raw.len == 0 || raw.at[0] != '/' ||
        path_clean(raw, buffer, sizeof(buffer), &path) != PATH_CLEAN)
        path = (struct weir_bytes){0}; /* the files say what is wrong with it */
    find(sites, weir_request_host(x), path, weir_request_query(x), x->rewritten ? NULL : room, out);
}

static int too_long(struct weir_exchange *x)
{
    return weir_reply_error(x, 414);
}

static const struct weir_handler too_long_handler = {.name = "rewrite", .start = too_long};

const struct weir_handler *sites_route(const struct sites *sites, struct weir_exchange *x,
                                       const void **out_config)
{
    struct sites_answer answer;
    struct sites_room room;
    find_answer(sites, x, &room, &answer);
    if (answer.rewrite && (answer.target.len == 0 || exchange_rewrite(x, answer.target) < 0))
        answer.handler = &too_long_handler;
    *out_config = answer.config;
    bool files = answer.handler == &files_handler;
    /* An address inside the server that another one led to has them already. */
    if (answer.rules && x->reroutes == 0 && rules_set_fields(answer.rules, x, files) < 0)
        return NULL;
    const struct weir_handler *guard =
        answer.guard ? guard_check(answer.guard, x, out_config) : NULL;
    return guard ? guard : answer.handler;
}

bool sites_error_page(const struct sites *sites, struct weir_exchange *x, unsigned status)
{
    struct sites_answer answer;
    struct sites_room room;
    find_answer(sites, x, &room, &answer);
    if (answer.site == SIZE_MAX)
        return false;
    const struct folder *folder = &sites->hosts[answer.site].part.folder;
    /* What was set for an answer that failed is gone; errors carry the fields of the site, too. */
    if (x->lines.len == 0 &&
        rules_set_fields(answer.rules, x, folder_error_page(folder, status) != NULL) < 0)
        return false;
    return files_error_page(folder, x, status);
}

void sites_set_log(struct sites *sites, size_t site, unsigned log)
{
    sites->hosts[site].log = log;
}

unsigned sites_log(const struct sites *sites, const struct weir_exchange *x)
{
    int number = site_names_find(&sites->names, weir_request_host(x));
    return number < 0 ? 0 : sites->hosts[number].log;
}

bool sites_code(const struct sites *sites)
{
    for (size_t i = 0; i < sites->count; i++)
        if (!sites->hosts[i].part.folder.made)
            return false;
    return true;
}
