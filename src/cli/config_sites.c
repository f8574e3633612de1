/* What a configuration means: the options of each site and mount, and whose fault it is if they cannot be had. */
#include "cli/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct heard {
    char text[700];
};

static void hear(void *arg, const char *text)
{
    struct heard *heard = arg;
    strncpy(heard->text, text, sizeof(heard->text) - 1);
}

/* The word in the last quotes is the one that is wrong; else the key is named with its dashes. */
static void blame(const struct config *config, const struct command *command,
                  const struct config_level *level, const char *text)
{
    char word[300] = "";
    unsigned line = level->line;
    const char *end = strrchr(text, '\''), *start = end;
    while (start && start > text && start[-1] != '\'')
        start--;
    if (start && start > text && (size_t)(end - start) < sizeof(word))
        memcpy(word, start, (size_t)(end - start));
    for (size_t i = 0; i < serve_row_count; i++) {
        const char *at = strstr(text, serve_rows[i].name);
        if (at && at >= text + 2 && at[-1] == '-' && at[-2] == '-' && level->lines[i] > 0) {
            line = level->lines[i];
            if (!word[0])
                strncpy(word, serve_rows[i].name, sizeof(word) - 1);
        }
    }
    line = config_line_of(config, line, word);
    (void)config_wrong(config, command, line, word, "%s",
                       strncmp(text, "--", 2) == 0 ? text + 2 : text);
}

static int read_part(const struct config *config, const struct command *command,
                     const struct config_level *level, struct site_part *out)
{
    struct heard heard = {.text = ""};
    complain_to(hear, &heard);
    int status = serve_part_read(command, &level->values, level->title, out);
    complain_to(NULL, NULL);
    if (status != 0)
        blame(config, command, level, heard.text);
    else if (!level->lines[serve_row("root") - serve_rows] && !level->values.root)
        status = config_wrong(config, command, level->line, level->title,
                              "'%s' has no folder: say root = \"/srv/...\"", level->title);
    return status;
}

static int read_sites(struct config *config, const struct command *command)
{
    size_t sites = config->top.inner_count, parts = sites;
    for (size_t i = 0; i < sites; i++)
        parts += config->top.inner[i].inner_count;
    config->parts = calloc(parts + 1, sizeof(*config->parts));
    if (!config->parts) {
        complain(command, "%s", strerror(ENOMEM));
        return 1;
    }
    struct site_part *mount = config->parts + sites;
    config->sites = (struct sites_options){config->parts, sites};
    int status = 0;
    for (size_t i = 0; i < sites && status == 0; i++) {
        const struct config_level *level = &config->top.inner[i];
        status = read_part(config, command, level, &config->parts[i]);
        config->parts[i].mounts = mount;
        config->parts[i].mount_count = level->inner_count;
        for (size_t k = 0; k < level->inner_count && status == 0; k++, mount++)
            status = read_part(config, command, &level->inner[k], mount);
    }
    return status;
}

/* Without a site the top is one, for every name. */
static int read_top(struct config *config, const struct command *command)
{
    config->parts = calloc(1, sizeof(*config->parts));
    if (!config->parts) {
        complain(command, "%s", strerror(ENOMEM));
        return 1;
    }
    config->top.title = "default";
    config->sites = (struct sites_options){config->parts, 1};
    return read_part(config, command, &config->top, config->parts);
}

int config_options(struct config *config, const struct command *command, struct site_options *out)
{
    struct heard heard = {.text = ""};
    int status =
        config->top.inner_count > 0 ? read_sites(config, command) : read_top(config, command);
    if (status != 0)
        return status;
    out->sites = &config->sites;
    out->out_wrong = &config->wrong;
    out->root = config->name;
    complain_to(hear, &heard);
    status = serve_options_read(command, &config->top.values, out);
    complain_to(NULL, NULL);
    if (status != 0)
        blame(config, command, &config->top, heard.text);
    return status;
}

static const struct config_level *level_of(const struct config *config,
                                           const struct site_part *part)
{
    size_t mounts = config->sites.count;
    if (config->top.inner_count == 0)
        return &config->top;
    for (size_t i = 0; i < config->sites.count; i++) {
        const struct config_level *site = &config->top.inner[i];
        if (part == &config->parts[i])
            return site;
        for (size_t k = 0; k < site->inner_count; k++, mounts++)
            if (part == &config->parts[mounts])
                return &site->inner[k];
    }
    return &config->top;
}

int config_cannot_open(const struct config *config, const struct command *command, int error)
{
    const struct site_part *part = config->wrong.part;
    if (!part) {
        complain(command, "%s: %s", config->name, strerror(error));
        return 1;
    }
    const struct config_level *level = level_of(config, part);
    const char *word = config->wrong.what ? config->wrong.what : part->root;
    unsigned line = config->wrong.what ? level->line : level->lines[serve_row("root") - serve_rows];
    int len = (int)strcspn(word, " ");
    if (config->wrong.why[0]) {
        line = level->lines[serve_row("auth") - serve_rows];
        return config_wrong(config, command, line, word, "%s", config->wrong.why);
    }
    line = config_line_of(config, line, word);
    if (!config->wrong.what)
        return config_wrong(config, command, line, word,
                            "cannot serve %s: %s (name a folder that may be read)", word,
                            strerror(error));
    if (error == EEXIST)
        return config_wrong(config, command, line, word, "'%.*s' is there twice", len, word);
    if (error == ENOSPC)
        return config_wrong(config, command, line, word, "there are too many: '%.*s'", len, word);
    return config_wrong(config, command, line, word,
                        "'%s' cannot be used: %s (a site is named like example.org, *.example.org "
                        "or default, a mount like /docs)",
                        word, strerror(error));
}
