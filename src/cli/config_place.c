/* Where in a configuration something is, for those who have to change it. */
#include "cli/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *line_start(const char *text, unsigned line)
{
    while (line > 1 && *text) {
        text += strcspn(text, "\n");
        text += *text == '\n';
        line--;
    }
    return text;
}

static unsigned column_of(const struct config *config, unsigned line, const char *word)
{
    const char *start = line_start(config->text ? config->text : "", line);
    size_t len = strcspn(start, "\n"), word_len = word ? strlen(word) : 0;
    const char *at = word_len > 0 ? memmem(start, len, word, word_len) : NULL;
    if (!at)
        at = start + strspn(start, " \t");
    return (unsigned)(at - start) + 1;
}

unsigned config_line_of(const struct config *config, unsigned line, const char *word)
{
    const char *start = line_start(config->text ? config->text : "", line);
    const char *at = word && *word ? strstr(start, word) : NULL;
    for (const char *c = start; at && c < at; c++)
        line += *c == '\n';
    return line;
}

/* Behind the text, if it stands at `at`, where backslashes may be before some of it; else NULL. */
static const char *spelt(const char *at, const char *text)
{
    for (; *text; text++, at++) {
        if (*at == '\\' && at[1] == *text)
            at++;
        else if (*at != *text)
            return NULL;
    }
    return at;
}

unsigned config_line_of_text(const struct config *config, const char *text)
{
    unsigned line = 1;
    for (const char *at = config->text ? config->text : ""; *at; at++) {
        bool quote = *at == '"' || *at == '\'';
        const char *end = quote ? spelt(at + 1, text) : NULL;
        if (end && *end == *at)
            return line;
        line += *at == '\n';
    }
    return config_line_of(config, 1, text);
}

int config_wrong(const struct config *config, const struct command *command, unsigned line,
                 const char *word, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    line = line > 0 ? line : 1;
    complain(command, "%s:%u:%u: %s", config->name, line, column_of(config, line, word), text);
    return 2;
}
