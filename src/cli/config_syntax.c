#include "cli/config_syntax.h"

#include "base/bytes.h"
#include "cli/suggest.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is being parsed: libconfuse calls back without an argument of ours. Only one is, in the one thread there is. */
static struct parse {
    const struct config *config;
    const struct command *command;
    int status; /* 2: something wrong was told; the rest only follows from it */
    bool rows[3];
    struct said {
        const cfg_opt_t *option;
        unsigned line;
    } said[LIMIT_CONFIG_KEYS * 8];
    unsigned said_count;
} parsing;

static const char *const section_names[] = {"site", "mount", NULL};

static void say(unsigned line, const char *word, const char *text)
{
    if (parsing.status == 0)
        parsing.status = config_wrong(parsing.config, parsing.command, line, word, "%s", text);
}

static enum option_scope scope_of(const cfg_t *section)
{
    if (strcmp(section->name, "site") == 0)
        return OPTION_SITE;
    return strcmp(section->name, "mount") == 0 ? OPTION_MOUNT : OPTION_SERVER;
}

static bool stands_in(const struct option_row *row, enum option_scope scope)
{
    return row->scope != OPTION_COMMAND && row->scope >= scope;
}

static void unknown(const cfg_t *section, const char *name)
{
    char text[300];
    enum option_scope scope = scope_of(section);
    const struct option_row *row = serve_row(name);
    struct suggest suggest = {.word = name};
    for (size_t i = 0; i < serve_row_count; i++)
        if (stands_in(&serve_rows[i], scope))
            suggest_see(&suggest, serve_rows[i].name);
    if (section_names[scope])
        suggest_see(&suggest, section_names[scope]);
    if (row && row->scope != OPTION_COMMAND)
        snprintf(text, sizeof(text), "'%s' does not stand in a %s: write it %s", name,
                 section->name, row->scope == OPTION_SITE ? "in its site" : "at the top");
    else if (suggest.best)
        snprintf(text, sizeof(text), "no key is called '%.80s'; did you mean '%s'?", name,
                 suggest.best);
    else
        snprintf(text, sizeof(text), "no key is called '%.80s' (weir serve --help lists them)",
                 name);
    say((unsigned)section->line, name, text);
}

/* What the library says has a word in quotes, as a rule: that is where it is. */
static void hear(cfg_t *section, const char *format, va_list args)
{
    char text[500], word[200] = "";
    vsnprintf(text, sizeof(text), format, args);
    char *quote = strchr(text, '\''), *end = quote ? strchr(quote + 1, '\'') : NULL;
    if (end)
        snprintf(word, sizeof(word), "%.*s", (int)(end - quote - 1), quote + 1);
    if (strncmp(text, "no such option", 14) == 0)
        unknown(section, word);
    else if (strncmp(text, "found duplicate title", 21) == 0) {
        snprintf(text, sizeof(text), "there are two of '%.200s': put them into one", word);
        say((unsigned)section->line, word, text);
    } else
        say((unsigned)section->line, word, text);
}

bool syntax_is_yes(const char *text)
{
    return strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "on") == 0;
}

static bool is_no(const char *text)
{
    return strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "off") == 0;
}

static bool value_wrong(const struct option_row *row, const char *value, char *why, size_t size)
{
    uint64_t number;
    if (row->kind == OPTION_FLAG && !syntax_is_yes(value) && !is_no(value))
        snprintf(why, size, "'%s' is yes or no, not '%.80s'", row->name, value);
    else if (row->kind == OPTION_COUNT &&
             (bytes_u64(bytes_str(value), &number) < 0 || number < row->min || number > row->max))
        snprintf(why, size, "'%s' is a number from %u to %u, not '%.80s'", row->name, row->min,
                 row->max, value);
    else
        return false;
    return true;
}

/* After each value. */
static int look(cfg_t *section, cfg_opt_t *option)
{
    char why[400];
    const struct option_row *row = serve_row(option->name);
    const char *value = cfg_opt_getnstr(option, cfg_opt_size(option) - 1);
    if (value && value_wrong(row, value, why, sizeof(why)))
        say((unsigned)section->line, value, why);
    for (unsigned i = 0; i < parsing.said_count; i++) {
        if (parsing.said[i].option != option)
            continue;
        if (row->kind == OPTION_LIST)
            return parsing.status;
        snprintf(why, sizeof(why), "'%s' is here twice, first on line %u", row->name,
                 parsing.said[i].line);
        say((unsigned)section->line, row->name, why);
    }
    if (parsing.said_count == sizeof(parsing.said) / sizeof(parsing.said[0]))
        say((unsigned)section->line, row->name, "there are too many keys in this file");
    else
        parsing.said[parsing.said_count++] = (struct said){option, (unsigned)section->line};
    return parsing.status;
}

/* The library counts the end of a comment twice, and takes the end of the text for the end of a section: so comments become spaces
 * here, and sections are counted. Returns the copy; *out_open: the line of a brace that is never closed, or 0. */
static char *without_comments(const char *text, unsigned *out_open)
{
    unsigned line = 1, open[8] = {0}, depth = 0;
    char quote = 0, *copy = strdup(text);
    for (char *at = copy; at && *at; at++) {
        line += *at == '\n';
        if (quote && *at == '\\' && at[1]) {
            at++;
            line += *at == '\n';
        } else if (quote) {
            quote = *at == quote ? 0 : quote;
        } else if (*at == '"' || *at == '\'') {
            quote = *at;
        } else if (*at == '#' || (*at == '/' && at[1] == '/')) {
            size_t len = strcspn(at, "\n");
            memset(at, ' ', len);
            at += len - 1;
        } else if (*at == '{') {
            open[depth++ % 8] = line;
        } else if (*at == '}' && depth > 0) {
            depth--;
        }
    }
    *out_open = depth > 0 ? open[(depth - 1) % 8] : 0;
    return copy;
}

static void fill(cfg_opt_t *options, enum option_scope scope, cfg_opt_t *inner)
{
    size_t count = 0;
    for (size_t i = 0; i < serve_row_count; i++) {
        const struct option_row *row = &serve_rows[i];
        if (!stands_in(row, scope))
            continue;
        options[count] = (cfg_opt_t)CFG_STR(row->name, NULL, CFGF_NODEFAULT);
        if (row->kind == OPTION_LIST)
            options[count] = (cfg_opt_t)CFG_STR_LIST(row->name, NULL, CFGF_NODEFAULT);
        options[count++].validcb = look;
    }
    if (inner)
        options[count++] =
            (cfg_opt_t)CFG_SEC(section_names[scope], inner,
                               CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES | CFGF_NODEFAULT);
    options[count] = (cfg_opt_t)CFG_END();
}

int syntax_parse(struct config *config, const struct command *command, struct syntax_block *out_top)
{
    cfg_opt_t mount[SERVE_ROWS_MAX + 2], site[SERVE_ROWS_MAX + 2], top[SERVE_ROWS_MAX + 2];
    parsing = (struct parse){.config = config, .command = command};
    fill(mount, OPTION_MOUNT, NULL);
    fill(site, OPTION_SITE, mount);
    fill(top, OPTION_SERVER, site);
    config->parsed = cfg_init(top, CFGF_NONE);
    if (!config->parsed)
        return config_wrong(config, command, 1, NULL, "no memory");
    cfg_set_error_function(config->parsed, hear);
    unsigned open;
    char *plain = without_comments(config->text, &open);
    int rc = plain ? cfg_parse_buf(config->parsed, plain) : CFG_FILE_ERROR;
    free(plain);
    if (open)
        say(open, "{", "this '{' is never closed: a '}' is missing");
    if (rc != CFG_SUCCESS && parsing.status == 0)
        say((unsigned)config->parsed->line, NULL, "this is not how a configuration is written");
    *out_top = (struct syntax_block){.scope = OPTION_SERVER, .section = config->parsed, .line = 1};
    return parsing.status;
}

void syntax_free(struct cfg_t *parsed)
{
    if (parsed)
        cfg_free(parsed);
}

bool syntax_find(const struct syntax_block *block, const struct option_row *row,
                 struct syntax_value *out)
{
    if (!stands_in(row, block->scope))
        return false;
    cfg_opt_t *option = cfg_getopt(block->section, row->name);
    for (unsigned i = 0; option && i < parsing.said_count; i++) {
        if (parsing.said[i].option != option)
            continue;
        *out = (struct syntax_value){row, option, parsing.said[i].line, cfg_opt_size(option)};
        return out->count > 0;
    }
    return false;
}

const char *syntax_text(const struct syntax_value *value, unsigned at)
{
    const char *text = cfg_opt_getnstr(value->option, at);
    return text ? text : "";
}

unsigned syntax_inner_count(const struct syntax_block *block)
{
    return block->scope == OPTION_MOUNT ? 0 : cfg_size(block->section, section_names[block->scope]);
}

static unsigned title_line(const struct syntax_block *block, const char *title)
{
    char word[300];
    snprintf(word, sizeof(word), "%s \"%s\"", section_names[block->scope], title);
    unsigned line = config_line_of(parsing.config, block->line, word);
    return line > block->line ? line : config_line_of(parsing.config, block->line, title);
}

void syntax_inner(const struct syntax_block *block, unsigned at, struct syntax_block *out)
{
    cfg_t *section = cfg_getnsec(block->section, section_names[block->scope], at);
    const char *title = cfg_title(section);
    *out = (struct syntax_block){
        .scope = block->scope + 1,
        .section = section,
        .title = title ? title : "",
        .line = title_line(block, title ? title : ""),
    };
}
