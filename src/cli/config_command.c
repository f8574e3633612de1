/* weir config: looks at a configuration without serving it. */
#include "base/bytes.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "http/target.h"
#include "service/cgi.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct config_values {
    bool unused;
};

static void put_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || *text == '$')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void put_list(const struct option_list *list)
{
    fputs("{", stdout);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i ? ", " : "", stdout);
        put_text(list->at[i]);
    }
    fputs("}", stdout);
}

/* What was said, or that nothing was: then its default is in the words of its help. */
static void put_row(const struct config_level *level, const struct config_level *outer,
                    const struct option_row *row, int indent)
{
    const void *at = (const char *)&level->values + row->offset;
    bool said = level->lines[row - serve_rows] && (!outer || serve_row_set(&outer->values, row));
    if (!serve_row_set(&level->values, row) && !said) {
        if (level->scope == OPTION_SERVER && row->kind == OPTION_FLAG)
            printf("%s = no # default\n", row->name);
        else if (level->scope == OPTION_SERVER)
            printf("# %s: %s\n", row->name, row->help);
        return;
    }
    printf("%*s%s = ", indent, "", row->name);
    if (row->kind == OPTION_FLAG)
        fputs(*(const bool *)at ? "yes" : "no", stdout);
    else if (row->kind == OPTION_TEXT)
        put_text(*(const char *const *)at);
    else if (row->kind == OPTION_COUNT)
        printf("%u", *(const unsigned *)at);
    else
        put_list(at);
    unsigned line = level->lines[row - serve_rows];
    if (line)
        printf(" # line %u", line);
    putchar('\n');
}

/* A list that is added to what is around it is in force with that in it, and would be added again: only its own part is put. */
static struct option_list own_part(const struct config_level *level,
                                   const struct config_level *outer, const struct option_row *row)
{
    struct option_list own =
        *(const struct option_list *)((const char *)&level->values + row->offset);
    size_t before =
        outer ? ((const struct option_list *)((const char *)&outer->values + row->offset))->count
              : 0;
    own.count -= before;
    if (row->merges == OPTION_BEFORE)
        return own;
    memmove(own.at, own.at + before, own.count * sizeof(own.at[0]));
    return own;
}

static void put_level(const struct config_level *level, const struct config_level *outer,
                      int indent)
{
    for (size_t i = 0; i < serve_row_count; i++) {
        const struct option_row *row = &serve_rows[i];
        if (row->scope == OPTION_COMMAND || row->scope < level->scope)
            continue;
        if (row->merges && outer) {
            struct option_list own = own_part(level, outer, row);
            if (own.count == 0)
                continue;
            printf("%*s%s = ", indent, "", row->name);
            put_list(&own);
            printf(" # line %u, added to what is around it\n", level->lines[i]);
            continue;
        }
        put_row(level, outer, row, indent);
    }
    for (size_t i = 0; i < level->inner_count; i++) {
        printf("%*s%s ", indent, "", level->scope == OPTION_SERVER ? "site" : "mount");
        put_text(level->inner[i].title);
        printf(" { # line %u\n", level->inner[i].line);
        put_level(&level->inner[i], level, indent + 4);
        printf("%*s}\n", indent, "");
    }
}

/* "http://example.org:8080/a?b": whose name, and which path. */
static bool split_url(const char *url, struct weir_bytes *host, struct weir_bytes *path,
                      struct weir_bytes *query)
{
    const char *at = url;
    if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
        at = strchr(url, ':') + 3;
    size_t host_len = strcspn(at, "/?#");
    *host = (struct weir_bytes){at, host_len};
    at += host_len;
    size_t path_len = strcspn(at, "?#");
    *path = path_len > 0 ? (struct weir_bytes){at, path_len} : BYTES("/");
    at += path_len;
    *query =
        *at == '?' ? (struct weir_bytes){at + 1, strcspn(at + 1, "#")} : (struct weir_bytes){0};
    return host_valid(*host);
}

/* The one that counts: the last of that name. NULL: the preset said so. */
static const char *said_field(const struct option_list *list, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = list->count; i-- > 0;)
        if (strncasecmp(list->at[i], name, len) == 0 && list->at[i][len] == ':')
            return list->at[i];
    return NULL;
}

static void explain_fields(const struct config *config, const struct config_level *level,
                           const struct rules *rules)
{
    for (unsigned i = 0; i < rules->field_count; i++) {
        const struct field_rule *field = &rules->fields[i];
        const char *said = said_field(&level->values.fields, field->name);
        if (!said)
            printf("field: %s: %s (line %u, security-fields)\n", field->name, field->value,
                   level->lines[serve_row("security-fields") - serve_rows]);
        else if (field->value[0])
            printf("field: %s: %s (line %u)\n", field->name, field->value,
                   config_line_of_text(config, said));
        else
            printf("no field: %s (line %u)\n", field->name, config_line_of_text(config, said));
    }
}

/* Who may have it, in the order in which it is looked at. */
static void explain_guard(const struct config *config, const struct guard *guard)
{
    const unsigned *lines = config->top.lines;
    const struct guard_options *shared = &config->top.values.guard;
    if (shared->connections)
        printf("client-connections: %u (line %u)\n", shared->connections,
               lines[serve_row("client-connections") - serve_rows]);
    for (unsigned i = 0; i < guard->access.count; i++)
        printf("access: %s (line %u)\n", guard->access.rules[i].said,
               config_line_of_text(config, guard->access.rules[i].said));
    if (guard->rate.every_ns > 0)
        printf("client-rate: %s (line %u)\n", guard->rate_said,
               config_line_of_text(config, guard->rate_said));
    if (guard->auth)
        printf("auth: %s, for \"%s\" (line %u)\n", guard->auth->name,
               guard->auth->realm ? guard->auth->realm : "weir",
               config_line_of_text(config, guard->auth->name));
}

static void explain_log(const struct config_level *site)
{
    const char *name = site->values.log.access;
    if (log_sink_kind(name) != LOG_SINK_OFF)
        printf("access-log: %s (line %u)\n", name,
               site->lines[serve_row("access-log") - serve_rows]);
}

static void explain_moved(const struct config *config, const struct sites_answer *answer,
                          struct weir_bytes path, struct weir_bytes query)
{
    static char to[LIMIT_FILE_PATH_BYTES * 4];
    struct text t;
    const struct redirect *moved = answer->redirect ? answer->redirect : answer->rewrite;
    text_init(&t, to, sizeof(to));
    redirect_target(moved, path, query, &t);
    unsigned line = config_line_of_text(config, moved->from.at);
    if (answer->redirect)
        printf("redirect: %u to %s (line %u)\n", moved->status, text_end(&t), line);
    else
        printf("rewrite: to %s (line %u)\n", text_end(&t), line);
}

static void explain_answer(const struct config *config, const struct sites_answer *answer,
                           struct weir_bytes path, struct weir_bytes query)
{
    const struct config_level *site =
        config->top.inner_count > 0 ? &config->top.inner[answer->site] : &config->top;
    const struct config_level *level = site;
    printf("site: %s (line %u)\n", site->title, site->line);
    if (answer->rewrite)
        explain_moved(config, answer, path, query);
    if (answer->mount != SIZE_MAX) {
        level = &site->inner[answer->mount];
        printf("mount: %s (line %u)\n", level->title, level->line);
    }
    if (site->values.tls.certs.count > 0)
        printf("certificate, if asked for by a name in it: %s (line %u)\n",
               site->values.tls.certs.at[0], site->lines[serve_row("cert") - serve_rows]);
    explain_guard(config, answer->guard);
    if (answer->redirect) {
        explain_moved(config, answer, path, query);
    } else if (answer->handler == &cgi_handler) {
        const struct cgi *cgi = answer->config;
        printf("program: below %.*s, in %s (line %u)\n", (int)cgi->prefix.len, cgi->prefix.at,
               cgi->folder_name, config_line_of_text(config, cgi->prefix.at));
    } else {
        printf("files: %s (line %u)\n", level->values.root,
               level->lines[serve_row("root") - serve_rows]);
    }
    explain_fields(config, level, answer->rules);
    explain_log(site);
}

static int explain(const struct config *config, const struct sites *sites, const char *url)
{
    static struct sites_room room;
    struct weir_bytes host, raw, query, path;
    char buffer[LIMIT_FILE_PATH_BYTES];
    if (!split_url(url, &host, &raw, &query))
        return usage_error(&command_config, "a URL is like http://example.org/path, not '%s'", url);
    if (path_clean(raw, buffer, sizeof(buffer), &path) != PATH_CLEAN) {
        printf("no file can have that path: 400 or 404\n");
        return 0;
    }
    struct sites_answer answer;
    sites_find(sites, host, path, query, &room, &answer);
    if (answer.site == SIZE_MAX)
        printf("no site has the name %.*s, and none is called default: 421\n", (int)host.len,
               host.at);
    else
        explain_answer(config, &answer, path, query);
    return 0;
}

static int with_config(struct config *config, const char *what, const char *name, const char *url)
{
    static const struct serve_values none;
    struct site_options options = {.root = NULL};
    struct sites *sites;
    struct guards guards;
    int status = config_read(config, &command_config, name, &none);
    if (status == 0)
        status = config_options(config, &command_config, &options);
    struct tls_options certs;
    if (status == 0)
        status = config_certs(config, &command_config, &certs);
    if (status != 0)
        return status;
    int rc = guards_open(&guards, &options.guards);
    if (rc == 0)
        rc = sites_open(options.sites, &options.cgi_options, &guards, &sites, &config->wrong);
    if (rc < 0)
        return config_cannot_open(config, &command_config, -rc);
    if (strcmp(what, "explain") == 0)
        status = explain(config, sites, url);
    else if (strcmp(what, "show") == 0)
        put_level(&config->top, NULL, 0);
    else {
        guard_options_warn(&command_config, options.sites, false);
        printf("%s: good, %zu site%s\n", name, options.sites->count,
               options.sites->count == 1 ? "" : "s");
    }
    sites_close(sites);
    guards_close(&guards);
    return status;
}

static int run(void *values, int argc, char **argv)
{
    (void)values;
    static const char *const known[] = {"check", "show", "explain"};
    const char *what = argc > 0 ? argv[0] : "";
    size_t i = 0;
    while (i < 3 && strcmp(known[i], what) != 0)
        i++;
    if (i == 3)
        return usage_error(&command_config, "say check, show or explain, not '%s'", what);
    if (argc != (i == 2 ? 3 : 2))
        return usage_error(&command_config, "%s needs %s", what,
                           i == 2 ? "a file and a URL" : "a file, and nothing else");
    struct config config = {.name = NULL};
    int status = with_config(&config, what, argv[1], argv[2]);
    config_free(&config);
    return status;
}

const struct command command_config = {
    .name = "config",
    .synopsis = "check FILE | show FILE | explain FILE URL",
    .summary = "what a configuration of sites says, and what is wrong with it",
    .examples = "weir config check /etc/weir/sites.conf\n"
                "weir config show sites.conf\n"
                "weir config explain sites.conf http://www.example.org/docs/",
    .exits = "0  nothing is wrong\n"
             "1  the file cannot be read\n"
             "2  something is wrong with it, or wrong usage",
    .values_size = sizeof(struct config_values),
    .run = run,
};
