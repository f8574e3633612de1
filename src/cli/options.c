#include "cli/options.h"

#include "base/bytes.h"
#include "cli/suggest.h"

#include <string.h>

struct parse {
    const struct command *command;
    void *values;
    int argc;
    char **argv;
    int at;
};

static const struct option_row *find_name(const struct command *command, struct weir_bytes name)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (bytes_equal(bytes_str(command->options[i].name), name))
            return &command->options[i];
    return NULL;
}

static const struct option_row *find_letter(const struct command *command, char letter)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == letter)
            return &command->options[i];
    return NULL;
}

static enum parsed unknown(const struct command *command, const char *word, struct weir_bytes name)
{
    char plain[64] = "";
    struct suggest suggest = {.word = plain};
    if (name.len < sizeof(plain)) {
        memcpy(plain, name.at, name.len);
        plain[name.len] = '\0';
        for (size_t i = 0; i < command->option_count; i++)
            suggest_see(&suggest, command->options[i].name);
        suggest_see(&suggest, "help");
    }
    if (suggest.best)
        (void)usage_error(command, "no option is called %s; did you mean --%s?", word,
                          suggest.best);
    else
        (void)usage_error(command, "no option is called %s", word);
    return PARSED_WRONG;
}

static enum parsed set_count(const struct command *command, const struct option_row *row,
                             unsigned *to, const char *text)
{
    uint64_t number;
    if (bytes_u64(bytes_str(text), &number) < 0 || number < row->min || number > row->max) {
        (void)usage_error(command, "--%s takes a number from %u to %u, not '%s'", row->name,
                          row->min, row->max, text);
        return PARSED_WRONG;
    }
    *to = (unsigned)number;
    return PARSED_RUN;
}

static enum parsed set_list(const struct command *command, const struct option_row *row,
                            struct option_list *list, const char *text)
{
    if (list->count == OPTION_LIST_MAX) {
        (void)usage_error(command, "--%s can be given %d times at most", row->name,
                          OPTION_LIST_MAX);
        return PARSED_WRONG;
    }
    list->at[list->count++] = text;
    return PARSED_RUN;
}

static enum parsed set(const struct parse *parse, const struct option_row *row, const char *text)
{
    void *to = (char *)parse->values + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)to = true;
        return PARSED_RUN;
    case OPTION_TEXT:
        *(const char **)to = text;
        return PARSED_RUN;
    case OPTION_LIST:
        return set_list(parse->command, row, to, text);
    case OPTION_COUNT:
        return set_count(parse->command, row, to, text);
    }
    return PARSED_WRONG;
}

/* `value` is what stood behind "=", or NULL: then the next word is taken if the option wants one. */
static enum parsed take(struct parse *parse, const struct option_row *row, const char *word,
                        const char *value)
{
    if (row->kind == OPTION_FLAG && value) {
        (void)usage_error(parse->command, "--%s takes no value", row->name);
        return PARSED_WRONG;
    }
    if (row->kind != OPTION_FLAG && !value) {
        if (parse->at + 1 >= parse->argc) {
            (void)usage_error(parse->command, "%s needs a value: %s", word,
                              row->value ? row->value : "VALUE");
            return PARSED_WRONG;
        }
        value = parse->argv[++parse->at];
    }
    return set(parse, row, value);
}

static enum parsed parse_long(struct parse *parse)
{
    const char *word = parse->argv[parse->at];
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    struct weir_bytes bytes = {name, equals ? (size_t)(equals - name) : strlen(name)};
    const struct option_row *row = find_name(parse->command, bytes);
    if (row)
        return take(parse, row, word, equals ? equals + 1 : NULL);
    return bytes_equal(bytes, BYTES("help")) ? PARSED_HELP : unknown(parse->command, word, bytes);
}

static enum parsed parse_short(struct parse *parse)
{
    const char *word = parse->argv[parse->at];
    const struct option_row *row = word[2] ? NULL : find_letter(parse->command, word[1]);
    if (row)
        return take(parse, row, word, NULL);
    if (strcmp(word, "-h") == 0)
        return PARSED_HELP;
    return unknown(parse->command, word, bytes_str(word + 1));
}

enum parsed options_parse(const struct command *command, void *values, int argc, char **argv,
                          int *out_count)
{
    struct parse parse = {.command = command, .values = values, .argc = argc, .argv = argv};
    bool options = true;
    int operands = 0;
    for (; parse.at < argc; parse.at++) {
        char *word = argv[parse.at];
        enum parsed parsed = PARSED_RUN;
        if (!options || word[0] != '-' || !word[1])
            argv[operands++] = word;
        else if (strcmp(word, "--") == 0)
            options = false;
        else
            parsed = word[1] == '-' ? parse_long(&parse) : parse_short(&parse);
        if (parsed != PARSED_RUN)
            return parsed;
    }
    *out_count = operands;
    return PARSED_RUN;
}
