/* What guards the places of a site. */
#include "base/bytes.h"
#include "service/sites_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A place, as far as its guard goes: words of its own, and those of what is around it. */
struct words {
    const struct site_part *part;
    const struct words *around; /* NULL: nothing */
};

static const struct site_part *outermost(const struct words *words)
{
    while (words->around)
        words = words->around;
    return words->part;
}

static const char *text_of(const struct site_part *part, size_t offset)
{
    return *(const char *const *)((const char *)part + offset);
}

/* What was said further out has the very same text. */
static const char *first_own(const struct words *words, size_t offset)
{
    const char *site = text_of(outermost(words), offset);
    for (; words; words = words->around)
        if (text_of(words->part, offset) != site)
            return text_of(words->part, offset);
    return site;
}

#define OWN(words, member) first_own(words, offsetof(struct site_part, member))

/* The lists of a site are at the end of those of its mounts. */
static int add_access(const struct words *words, struct access *access, struct sites_wrong *out)
{
    const struct site_part *site = outermost(words);
    int rc = 0;
    for (; words && rc == 0; words = words->around) {
        size_t count = words->part->access.count;
        count -= words->part == site ? 0 : site->access.count;
        for (size_t i = 0; i < count && rc == 0; i++) {
            out->what = words->part->access.at[i];
            rc = access_add(access, out->what, out->why, sizeof(out->why));
        }
    }
    return rc;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int find_auth(struct sites *sites, const char *file, const char *realm, struct auth **out,
                     struct sites_wrong *wrong)
{
    struct auths *auths = sites->auths;
    while (auths && !(same_text(auths->auth.name, file) && same_text(auths->auth.realm, realm)))
        auths = auths->next;
    if (!auths) {
        auths = calloc(1, sizeof(*auths));
        if (!auths)
            return -ENOMEM;
        auths->next = sites->auths;
        sites->auths = auths;
        int rc =
            auth_open(&auths->auth, file, realm, sites->guards, wrong->why, sizeof(wrong->why));
        if (rc < 0)
            return rc;
    }
    *out = &auths->auth;
    return 0;
}

static int open_guard(struct sites *sites, const struct words *words, struct guard *guard,
                      struct sites_wrong *out)
{
    const char *rate = OWN(words, rate), *auth = OWN(words, auth);
    out->part = words->part;
    guard->guards = sites->guards;
    int rc = add_access(words, &guard->access, out);
    if (rc == 0 && rate && strcmp(rate, "off") != 0) {
        out->what = rate;
        guard->rate_said = rate;
        rc = quota_read(bytes_str(rate), &guard->rate);
    }
    if (rc == 0 && auth && strcmp(auth, "off") != 0) {
        out->what = auth;
        rc = find_auth(sites, auth, OWN(words, realm), &guard->auth, out);
    }
    if (rc == 0)
        out->what = NULL;
    return rc;
}

/* The mount that a path is below of, the deepest one; SIZE_MAX: none. `not`: itself. */
static size_t mount_around(const struct host *host, struct weir_bytes path, size_t not )
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < host->mount_count; i++) {
        struct weir_bytes prefix = host->mounts[i].folder.prefix;
        bool below =
            bytes_starts(path, prefix) && (path.len == prefix.len || path.at[prefix.len] == '/');
        if (i != not &&below &&
            (found == SIZE_MAX || prefix.len > host->mounts[found].folder.prefix.len))
            found = i;
    }
    return found;
}

/* Chains of mounts are no longer than there are mounts: each is around the one before. */
static int open_mount_guard(struct sites *sites, struct host *host, const struct site_part *site,
                            size_t mount, struct sites_wrong *out)
{
    struct words words[LIMIT_MOUNTS + 1];
    size_t count = 0;
    for (size_t at = mount; at != SIZE_MAX && count < LIMIT_MOUNTS;) {
        words[count++] = (struct words){.part = &site->mounts[at]};
        at = mount_around(host, host->mounts[at].folder.prefix, at);
    }
    words[count++] = (struct words){.part = site};
    for (size_t i = 0; i + 1 < count; i++)
        words[i].around = &words[i + 1];
    return open_guard(sites, words, &host->mounts[mount].guard, out);
}

int sites_open_guards(struct sites *sites, struct host *host, const struct site_part *site,
                      struct sites_wrong *out)
{
    const struct words words = {.part = site};
    int rc = open_guard(sites, &words, &host->part.guard, out);
    for (size_t i = 0; i < host->mount_count && rc == 0; i++)
        rc = open_mount_guard(sites, host, site, i, out);
    for (size_t i = 0; i < host->cgi_count; i++) {
        size_t mount = mount_around(host, host->cgi[i].prefix, SIZE_MAX);
        host->cgi_guard[i] = mount == SIZE_MAX ? &host->part.guard : &host->mounts[mount].guard;
    }
    return rc;
}

void sites_close_guards(struct sites *sites)
{
    while (sites->auths) {
        struct auths *auths = sites->auths;
        sites->auths = auths->next;
        auth_close(&auths->auth);
        free(auths);
    }
}
