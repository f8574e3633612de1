#include "cli/config.h"

#include "base/bytes.h"
#include "cli/config_syntax.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options are rows, so a site starts as a copy of what is around it. */
static void begin_level(struct config_level *level, const struct config_level *outer,
                        const struct syntax_block *block)
{
    if (outer) {
        level->values = outer->values;
        memcpy(level->lines, outer->lines, sizeof(level->lines));
    }
    level->scope = block->scope;
    level->title = block->title;
    level->line = block->line;
}

static int set_list(const struct config *config, const struct command *command,
                    const struct option_row *row, const struct syntax_value *value,
                    struct option_list *list)
{
    struct option_list outer = *list;
    if (row->merges != OPTION_AFTER)
        list->count = 0;
    for (unsigned i = 0; i < value->count; i++) {
        if (list->count == OPTION_LIST_MAX)
            return config_wrong(config, command, value->line, row->name,
                                "'%s' can have %d values at most, those of what is around it "
                                "included",
                                row->name, OPTION_LIST_MAX);
        list->at[list->count++] = syntax_text(value, i);
    }
    if (row->merges != OPTION_BEFORE)
        return 0;
    if (list->count + outer.count > OPTION_LIST_MAX)
        return config_wrong(config, command, value->line, row->name,
                            "'%s' can have %d values at most, those of what is around it included",
                            row->name, OPTION_LIST_MAX);
    memcpy(list->at + list->count, outer.at, outer.count * sizeof(outer.at[0]));
    list->count += outer.count;
    return 0;
}

/* The syntax has looked at flags and numbers already. */
static int set_value(const struct config *config, const struct command *command,
                     struct config_level *level, const struct syntax_value *value)
{
    const struct option_row *row = value->row;
    void *to = (char *)&level->values + row->offset;
    uint64_t number = 0;
    level->lines[row - serve_rows] = value->line;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)to = syntax_is_yes(syntax_text(value, 0));
        return 0;
    case OPTION_TEXT:
        *(const char **)to = syntax_text(value, 0);
        return 0;
    case OPTION_COUNT:
        if (bytes_u64(bytes_str(syntax_text(value, 0)), &number) == 0)
            *(unsigned *)to = (unsigned)number;
        return 0;
    case OPTION_LIST:
        return set_list(config, command, row, value, to);
    }
    return 0;
}

static int read_level(const struct config *config, const struct command *command,
                      struct config_level *level, const struct config_level *outer,
                      const struct serve_values *given, struct syntax_block *block)
{
    struct syntax_value value;
    struct syntax_block inner;
    int status = 0;
    begin_level(level, outer, block);
    for (size_t i = 0; i < serve_row_count && status == 0; i++) {
        if (!syntax_find(block, &serve_rows[i], &value))
            continue;
        if (!given || !serve_row_set(given, &serve_rows[i]))
            status = set_value(config, command, level, &value);
    }
    level->inner = calloc(syntax_inner_count(block) + 1, sizeof(*level->inner));
    if (!level->inner) {
        complain(command, "%s", strerror(ENOMEM));
        return 1;
    }
    for (unsigned i = 0; i < syntax_inner_count(block) && status == 0; i++) {
        syntax_inner(block, i, &inner);
        level->inner_count++;
        status = read_level(config, command, &level->inner[i], level, NULL, &inner);
    }
    return status;
}

int config_read_text(struct config *config, const struct command *command, const char *name,
                     const char *text, const struct serve_values *given)
{
    struct syntax_block top;
    config->name = name;
    if (!config->text)
        config->text = strdup(text);
    if (!config->text) {
        complain(command, "%s", strerror(ENOMEM));
        return 1;
    }
    config->top.values = *given;
    int status = syntax_parse(config, command, &top);
    return status ? status : read_level(config, command, &config->top, NULL, given, &top);
}

static int read_whole(const char *name, char **out)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char *text = malloc(LIMIT_CONFIG_BYTES + 1);
    size_t len = 0;
    ssize_t got = text ? 1 : -1;
    while (got > 0 && len <= LIMIT_CONFIG_BYTES) {
        got = read(fd, text + len, LIMIT_CONFIG_BYTES + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    int rc = !text ? -ENOMEM : got < 0 ? -errno : len > LIMIT_CONFIG_BYTES ? -EFBIG : 0;
    close(fd);
    if (rc == 0 && memchr(text, '\0', len))
        rc = -EILSEQ;
    if (rc < 0) {
        free(text);
        return rc;
    }
    text[len] = '\0';
    *out = text;
    return 0;
}

int config_read(struct config *config, const struct command *command, const char *name,
                const struct serve_values *given)
{
    *config = (struct config){.name = name};
    int rc = read_whole(name, &config->text);
    if (rc == -EILSEQ)
        return config_wrong(config, command, 1, NULL, "not a text: there is a NUL in it");
    if (rc < 0) {
        complain(command, "cannot read %s: %s", name, strerror(-rc));
        return 1;
    }
    return config_read_text(config, command, name, config->text, given);
}

static void free_level(struct config_level *level)
{
    for (size_t i = 0; i < level->inner_count; i++)
        free_level(&level->inner[i]);
    free(level->inner);
}

void config_free(struct config *config)
{
    free_level(&config->top);
    free(config->parts);
    syntax_free(config->parsed);
    free(config->text);
    *config = (struct config){.name = NULL};
}
