#include <weir/process.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/* Takes a quoted part at *at, which stands behind the opening quote. Inside "…" a backslash quotes " and \ only. */
static int take_quoted(const char **at, char quote, char **to)
{
    const char *c = *at;
    for (; *c != quote; c++) {
        if (quote == '"' && *c == '\\' && (c[1] == '"' || c[1] == '\\'))
            c++;
        if (!*c)
            return -EINVAL;
        *(*to)++ = *c;
    }
    *at = c + 1;
    return 0;
}

/* Takes one word; *to moves behind its NUL. */
static int take_word(const char **at, char **to)
{
    while (**at && !is_space(**at)) {
        char c = *(*at)++;
        if (c == '\'' || c == '"') {
            if (take_quoted(at, c, to) < 0)
                return -EINVAL;
            continue;
        }
        if (c == '\\' && !(c = *(*at)++))
            return -EINVAL;
        *(*to)++ = c;
    }
    *(*to)++ = '\0';
    return 0;
}

static void skip_space(const char **at)
{
    while (is_space(**at))
        (*at)++;
}

WEIR_API int weir_words(const char *command, char ***out)
{
    /* A word takes a letter and a space of the command at least, so this many pointers and bytes are enough. */
    size_t len = strlen(command);
    size_t words_max = len / 2 + 2;
    char **words = malloc(words_max * sizeof(*words) + len + 2);
    if (!words)
        return -ENOMEM;
    char *to = (char *)(words + words_max);
    size_t count = 0;
    for (skip_space(&command); *command; skip_space(&command)) {
        words[count++] = to;
        if (take_word(&command, &to) < 0) {
            free(words);
            return -EINVAL;
        }
    }
    words[count] = NULL;
    if (count == 0) {
        free(words);
        return -EINVAL;
    }
    *out = words;
    return 0;
}
