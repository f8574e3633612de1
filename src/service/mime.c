#include "service/mime.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/fields.h"
#include "tbl/limits.h"
#include "tbl/mime.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING_MAX   16
#define SYSTEM_TYPES "/etc/mime.types"
#define CHARSET      "; charset=utf-8"

struct row {
    const char *ending, *type;
};

struct mime_map {
    bool first; /* before our own table */
    size_t count;
    char *text; /* what rows point to */
    size_t text_len;
    struct row rows[];
};

static const struct row rows[] = {
#define T(ending, type) {ending, type},
    MIME_TYPES(T)
#undef T
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->ending, ((const struct row *)b)->ending);
}

static const struct row *find(const struct row *in, size_t count, const char *ending)
{
    struct row key = {ending, NULL};
    return bsearch(&key, in, count, sizeof(*in), compare);
}

const char *mime_type(const struct mime_map *map, struct weir_bytes name)
{
    char ending[ENDING_MAX + 1];
    const char *dot = name.len ? memrchr(name.at, '.', name.len) : NULL;
    size_t len = dot ? (size_t)(name.at + name.len - dot) - 1 : 0;
    if (len == 0 || len > ENDING_MAX || memchr(dot, '/', len + 1))
        return MIME_OTHER;
    for (size_t i = 0; i < len; i++) {
        char c = dot[1 + i];
        ending[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    ending[len] = '\0';
    const struct row *row = map && map->first ? find(map->rows, map->count, ending) : NULL;
    if (!row)
        row = find(rows, sizeof(rows) / sizeof(rows[0]), ending);
    if (!row && map && !map->first)
        row = find(map->rows, map->count, ending);
    return row ? row->type : MIME_OTHER;
}

enum mime_worth mime_worth(const char *type)
{
    static const struct {
        const char *pattern;
        enum mime_worth worth;
    } worths[] = {
#define W(pattern, worth) {pattern, MIME_##worth},
        MIME_WORTHS(W)
#undef W
    };
    char plain[LIMIT_MIME_TYPE_BYTES + 1];
    struct text t;
    text_init(&t, plain, sizeof(plain));
    text_add(&t, type, strcspn(type, "; "));
    text_end(&t);
    for (size_t i = 0; i < sizeof(worths) / sizeof(worths[0]); i++)
        if (fnmatch(worths[i].pattern, plain, 0) == 0)
            return worths[i].worth;
    return MIME_UNSURE;
}

/* All of a file of bounded size, with a NUL behind it. */
static int read_all(const char *path, char **out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    char *text = malloc(LIMIT_MIME_FILE_BYTES + 1);
    int rc = text ? 0 : -ENOMEM;
    size_t len = 0;
    while (rc == 0 && len < LIMIT_MIME_FILE_BYTES) {
        ssize_t n = read(fd, text + len, LIMIT_MIME_FILE_BYTES - len);
        if (n < 0 && errno != EINTR)
            rc = -errno;
        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (rc < 0) {
        free(text);
        return rc;
    }
    text[len] = '\0';
    *out = text;
    return 0;
}

/* The next word of a line, NUL-terminated in place; NULL: none. */
static char *next_word(char **line)
{
    char *word = *line + strspn(*line, " \t\r");
    if (*word == '\0' || *word == '#')
        return NULL;
    char *end = word + strcspn(word, " \t\r");
    *line = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool is_type(const char *word)
{
    size_t len = strlen(word);
    const char *slash = strchr(word, '/');
    return slash && len <= LIMIT_MIME_TYPE_BYTES - sizeof(CHARSET) && slash > word && slash[1] &&
           field_run(word, (size_t)(slash - word), BYTE_TOKEN) == (size_t)(slash - word) &&
           field_run(slash + 1, strlen(slash + 1), BYTE_TOKEN) == strlen(slash + 1);
}

/* Where a line's type lies for good. Text gets its charset, as in our own table. */
static const char *keep_type(struct mime_map *map, const char *type)
{
    size_t len = strlen(type);
    bool is_text = strncmp(type, "text/", 5) == 0;
    char *at = map->text + map->text_len;
    memcpy(at, type, len);
    memcpy(at + len, is_text ? CHARSET : "", is_text ? sizeof(CHARSET) : 1);
    map->text_len += strlen(at) + 1;
    return at;
}

static void read_line(struct mime_map *map, char *line)
{
    const char *type = next_word(&line);
    if (!type || !is_type(type))
        return;
    const char *kept = NULL;
    char *ending;
    while ((ending = next_word(&line)) && map->count < LIMIT_MIME_ROWS) {
        if (strlen(ending) > ENDING_MAX)
            continue;
        for (char *c = ending; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
        kept = kept ? kept : keep_type(map, type);
        char *at = map->text + map->text_len;
        map->text_len += strlen(ending) + 1;
        memcpy(at, ending, strlen(ending) + 1);
        map->rows[map->count++] = (struct row){at, kept};
    }
}

static int read_map(char *text, struct mime_map **out)
{
    struct mime_map *map = calloc(1, sizeof(*map) + LIMIT_MIME_ROWS * sizeof(struct row));
    /* Each word of the file once, and a charset for each type: a type takes at least two bytes and a line's end. */
    size_t room = strlen(text) * (1 + sizeof(CHARSET)) + sizeof(CHARSET);
    if (map)
        map->text = malloc(room);
    if (!map || !map->text) {
        free(map);
        return -ENOMEM;
    }
    char *line;
    while ((line = strsep(&text, "\n")))
        read_line(map, line);
    qsort(map->rows, map->count, sizeof(struct row), compare);
    *out = map;
    return 0;
}

int mime_open(const char *file, struct mime_map **out)
{
    char *text = NULL;
    if (file && strcmp(file, "off") == 0) {
        *out = NULL;
        return 0;
    }
    int rc = read_all(file ? file : SYSTEM_TYPES, &text);
    if (rc < 0 && !file) { /* not every machine has one */
        *out = NULL;
        return 0;
    }
    if (rc < 0)
        return rc;
    rc = read_map(text, out);
    free(text);
    if (rc == 0)
        (*out)->first = file != NULL;
    return rc;
}

void mime_close(struct mime_map *map)
{
    if (!map)
        return;
    free(map->text);
    free(map);
}
