#include "cli/cgi_options.h"

#include "cli/quantity.h"
#include "service/route.h"

#include <errno.h>
#include <string.h>

/* Nothing given: 0, the default. */
static int read_size(const struct command *command, const char *option, const char *text,
                     uint64_t *out)
{
    if (!text)
        return 0;
    if (quantity_bytes(text, out) == 0 && *out > 0 && *out <= INT64_MAX)
        return 0;
    return usage_error(command, "--%s takes a size such as 64M or 2G, not '%s'", option, text);
}

static int check_mounts(const struct command *command, const struct option_list *mounts,
                        const char *root)
{
    struct route route = {.count = 0};
    char why[600];
    for (size_t i = 0; i < mounts->count; i++) {
        const char *mount = mounts->at[i];
        if (cgi_wrong(mount, root, why, sizeof(why)))
            return usage_error(command, "--cgi: %s", why);
        if (route_add(&route, mount, strcspn(mount, "="), &cgi_handler, NULL) < 0)
            return usage_error(command, "--cgi: there are two folders for the prefix of '%s'",
                               mount);
    }
    return 0;
}

int cgi_options_read(const struct command *command, const struct cgi_words *words,
                     struct site_options *options)
{
    struct cgi_options cgi = {.timeout_s = words->timeout_s,
                              .max = words->max,
                              .cpu_s = words->cpu_s,
                              .processes = words->processes};
    int status = check_mounts(command, &words->mounts, options->root);
    if (status == 0)
        status = read_size(command, "cgi-memory", words->memory, &cgi.memory);
    if (status == 0)
        status = read_size(command, "cgi-spool", words->spool, &cgi.spool);
    if (status != 0)
        return status;
    options->cgi = (struct site_mounts){words->mounts.at, words->mounts.count};
    options->cgi_options = cgi;
    return 0;
}
