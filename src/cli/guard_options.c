#include "cli/guard_options.h"

#include "base/bytes.h"

#include <string.h>
#include <sys/stat.h>

static int wrong_access(const struct command *command, const struct guard_options *options)
{
    static struct access access; /* too large for a stack, and only read here */
    char why[400];
    access.count = 0;
    for (size_t i = 0; i < options->access.count; i++)
        if (access_add(&access, options->access.at[i], why, sizeof(why)) < 0)
            return usage_error(command, "--access: %s", why);
    return 0;
}

int guard_options_read(const struct command *command, const struct guard_options *options,
                       struct site_part *out)
{
    struct quota quota;
    int status = wrong_access(command, options);
    if (status != 0)
        return status;
    if (options->rate && strcmp(options->rate, "off") != 0 &&
        quota_read(bytes_str(options->rate), &quota) < 0)
        return usage_error(command,
                           "--client-rate is like 10/s, '10/s burst 50', 100/m or 5/h, up to "
                           "10000/s, or off, not '%s'",
                           options->rate);
    const char *wrong = options->realm ? auth_realm_wrong(options->realm) : NULL;
    if (wrong)
        return usage_error(command, "--auth-realm: %s: '%s'", wrong, options->realm);
    out->access = (struct folder_words){options->access.at, options->access.count};
    out->rate = options->rate;
    out->auth = options->auth;
    out->realm = options->realm;
    return 0;
}

int guard_options_shared(const struct command *command, const struct guard_options *options,
                         struct guards_options *out)
{
    char why[400];
    const char *field = options->field ? options->field : "x-forwarded-for";
    *out = (struct guards_options){
        .connections = options->connections,
        .trusted = {options->trusted.at, options->trusted.count},
        .rfc7239 = strcasecmp(field, "forwarded") == 0,
        .limits = true,
    };
    if (guards_options_wrong(out, why, sizeof(why)))
        return usage_error(command, "--trusted-proxy: %s", why);
    if (!out->rfc7239 && strcasecmp(field, "x-forwarded-for") != 0)
        return usage_error(command, "--client-field is x-forwarded-for or forwarded, not '%s'",
                           field);
    if (options->field && options->trusted.count == 0)
        return usage_error(command, "--client-field is what a --trusted-proxy says");
    return 0;
}

bool guard_options_used(const struct guard_options *options)
{
    return options->access.count > 0 || options->rate || options->auth;
}

static bool asks(const struct site_part *part)
{
    return part->auth && strcmp(part->auth, "off") != 0;
}

static void warn_of_part(const struct command *command, const struct site_part *part,
                         const char *before)
{
    struct stat at;
    if (!asks(part) || (before && strcmp(part->auth, before) == 0))
        return;
    if (stat(part->auth, &at) == 0 && at.st_mode & S_IROTH)
        complain(command, "everybody on this machine can read the passwords in %s (chmod o-r)",
                 part->auth);
}

void guard_options_warn(const struct command *command, const struct sites_options *sites,
                        bool plain)
{
    bool any = false;
    for (size_t i = 0; i < sites->count; i++) {
        const struct site_part *site = &sites->at[i];
        warn_of_part(command, site, NULL);
        any |= asks(site);
        for (size_t k = 0; k < site->mount_count; k++) {
            warn_of_part(command, &site->mounts[k], site->auth);
            any |= asks(&site->mounts[k]);
        }
    }
    if (any && plain)
        complain(command, "passwords are asked for over http, where others can read them on their "
                          "way (listen at https://, or on loopback behind a proxy with TLS)");
}
