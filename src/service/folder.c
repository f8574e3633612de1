#include "service/folder.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/fields.h"
#include "service/file.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODING_DEFAULT "br,zstd,gzip"

/* The codings of a list, best first. false: one of them is unknown, or there twice; *out_bad is it. */
static bool read_codings(const char *text, struct folder *folder, struct weir_bytes *out_bad)
{
    struct weir_bytes list = bytes_str(text ? text : CODING_DEFAULT), name;
    if (text && strcmp(text, "off") == 0)
        return true;
    uint8_t liked = CODINGS;
    while (bytes_next(&list, &name)) {
        enum coding coding = CODING_GZIP;
        while (coding < CODINGS && !bytes_equal(name, bytes_str(coding_name(coding))))
            coding++;
        *out_bad = name;
        if (coding == CODINGS || folder->preference[coding])
            return false;
        folder->offered = (uint8_t)(folder->offered | 1u << coding);
        folder->preference[coding] = --liked;
    }
    return true;
}

/* "404=/404.html". false: it is not. */
static bool read_page(const char *text, struct folder_page *out)
{
    const char *equals = strchr(text, '=');
    uint64_t status;
    if (!equals || bytes_u64((struct weir_bytes){text, (size_t)(equals - text)}, &status) < 0 ||
        status < 400 || status > 599 || equals[1] != '/')
        return false;
    *out = (struct folder_page){(unsigned)status, equals + 1};
    return true;
}

/* "PATTERN=VALUE": where the value begins. NULL: it is not. */
static const char *read_cache_control(const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return NULL;
    size_t len = strlen(equals + 1);
    bool good =
        len > 0 && len <= LIMIT_CACHE_CONTROL_BYTES && field_value_run(equals + 1, len) == len;
    return good ? equals + 1 : NULL;
}

static bool levels_wrong(const struct folder_options *options, struct text *why)
{
    for (enum coding i = CODING_GZIP; i < CODINGS; i++) {
        if (options->level[i] <= (unsigned)coder_level_max(i))
            continue;
        text_str(why, coding_name(i));
        text_str(why, " has levels 1 to ");
        text_u64(why, (unsigned)coder_level_max(i));
        return true;
    }
    return false;
}

static bool words_wrong(const struct folder_options *options, struct text *why)
{
    struct folder_page page;
    for (size_t i = 0; i < options->error_pages.count; i++) {
        if (read_page(options->error_pages.at[i], &page))
            continue;
        text_fmt(why, "an error page is STATUS=/PATH, as in 404=/404.html, not '%s'",
                 options->error_pages.at[i]);
        return true;
    }
    for (size_t i = 0; i < options->cache_control.count; i++) {
        if (read_cache_control(options->cache_control.at[i]))
            continue;
        text_fmt(why, "Cache-Control is PATTERN=VALUE, as in '*.css=max-age=600', not '%s'",
                 options->cache_control.at[i]);
        return true;
    }
    return false;
}

bool folder_options_wrong(const struct folder_options *options, char *why, size_t size)
{
    struct text t;
    struct weir_bytes bad = {0};
    struct folder folder = {.root = -1};
    text_init(&t, why, size);
    bool wrong = true;
    if (!read_codings(options->coding, &folder, &bad))
        text_fmt(&t, "codings are br, zstd and gzip, each once, with commas, or off: not '%.*s'",
                 (int)bad.len, bad.at);
    else if (options->fallback && options->fallback[0] != '/')
        text_fmt(&t, "the fallback is a path of the site, as in /index.html, not '%s'",
                 options->fallback);
    else
        wrong = levels_wrong(options, &t) || words_wrong(options, &t);
    text_end(&t);
    return wrong;
}

static int read_options(struct folder *folder, const struct folder_options *options)
{
    struct weir_bytes bad;
    folder->listing = options->listing;
    folder->fallback = options->fallback;
    folder->cache_control = options->cache_control;
    folder->coding_max = options->coding_max ? options->coding_max : LIMIT_CODING_MAX_BYTES;
    if (!read_codings(options->coding, folder, &bad))
        return -EINVAL;
    for (enum coding i = CODING_GZIP; i < CODINGS; i++) {
        folder->level[i] = options->level[i] ? (int)options->level[i] : coder_level(i);
        coder_tag(i, folder->level[i], folder->tag[i]);
    }
    folder->pages = calloc(options->error_pages.count + 1, sizeof(*folder->pages));
    if (!folder->pages)
        return -ENOMEM;
    for (size_t i = 0; i < options->error_pages.count; i++)
        if (!read_page(options->error_pages.at[i], &folder->pages[folder->page_count++]))
            return -EINVAL;
    return 0;
}

/* A folder that was named must do; where one of our own cannot be had, files go out as they are. */
static int open_store(struct folder *folder, const struct folder_options *options)
{
    uint64_t max = options->coding_bytes ? options->coding_bytes : LIMIT_CODING_STORE_BYTES;
    if (options->coding_neighbours || !folder->offered)
        return 0;
    int rc = coding_store_open(&folder->store, options->coding_cache, max);
    if (rc == 0)
        folder->made = folder->offered;
    return options->coding_cache ? rc : 0;
}

int folder_open(struct folder *folder, const char *root, const struct folder_options *options)
{
    char why[8];
    *folder = (struct folder){.root = -1, .store = {.dir = -1}};
    if (folder_options_wrong(options, why, sizeof(why)))
        return -EINVAL;
    int rc = file_root_open(root, &folder->root);
    if (rc == 0)
        rc = read_options(folder, options);
    if (rc == 0)
        rc = mime_open(options->mime_types, &folder->mime);
    if (rc == 0)
        rc = open_store(folder, options);
    if (rc < 0)
        folder_close(folder);
    return rc;
}

void folder_close(struct folder *folder)
{
    if (folder->root >= 0)
        close(folder->root);
    coding_store_close(&folder->store);
    mime_close(folder->mime);
    free(folder->pages);
    *folder = (struct folder){.root = -1, .store = {.dir = -1}};
}

/* With a slash in front it is a path, with one inside a type, without any the name of a file. */
static bool fits(const char *pattern, const char *path, const char *name, const char *type)
{
    if (pattern[0] == '/')
        return fnmatch(pattern, path, 0) == 0;
    return fnmatch(pattern, strchr(pattern, '/') ? type : name, 0) == 0;
}

const char *folder_cache_control(const struct folder *folder, const char *name, const char *type)
{
    char path[LIMIT_FILE_PATH_BYTES + 2], plain[LIMIT_MIME_TYPE_BYTES + 1];
    struct text t;
    if (folder->cache_control.count == 0)
        return NULL;
    text_init(&t, path, sizeof(path));
    text_char(&t, '/');
    text_str(&t, name);
    text_end(&t);
    text_init(&t, plain, sizeof(plain));
    text_add(&t, type, strcspn(type, "; "));
    text_end(&t);
    for (size_t i = 0; i < folder->cache_control.count; i++) {
        char pattern[LIMIT_FILE_PATH_BYTES + 1];
        const char *word = folder->cache_control.at[i], *value = read_cache_control(word);
        text_init(&t, pattern, sizeof(pattern));
        text_add(&t, word, (size_t)(value - word) - 1);
        if (fits(text_end(&t), path, strrchr(path, '/') + 1, plain))
            return value;
    }
    return NULL;
}

const char *folder_error_page(const struct folder *folder, unsigned status)
{
    for (size_t i = 0; i < folder->page_count; i++)
        if (folder->pages[i].status == status)
            return folder->pages[i].path;
    return NULL;
}
