#include "cli/file_options.h"

#include "cli/quantity.h"

#include <errno.h>

/* "64M"; nothing given: 0, the default. */
static int read_size(const struct command *command, const char *option, const char *text,
                     uint64_t *out)
{
    if (!text)
        return 0;
    if (quantity_bytes(text, out) == 0 && *out > 0 && *out <= INT64_MAX)
        return 0;
    return usage_error(command, "--%s takes a size such as 64K or 2G, not '%s'", option, text);
}

static int read_sizes(const struct command *command, const struct file_options *options,
                      struct folder_options *folder, struct file_cache_options *cache)
{
    const struct {
        const char *option, *text;
        uint64_t *to;
    } rows[] = {
        {"coding-bytes", options->coding_bytes, &folder->coding_bytes},
        {"coding-max", options->coding_max, &folder->coding_max},
        {"ready-bytes", options->ready_bytes, &cache->ready_bytes},
        {"ready-max", options->ready_max, &cache->ready_max},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status = read_size(command, rows[i].option, rows[i].text, rows[i].to);
        if (status != 0)
            return status;
    }
    return 0;
}

int file_options_read(const struct command *command, const struct file_options *options,
                      struct folder_options *out_folder, struct file_cache_options *out_cache)
{
    char why[300];
    *out_cache = (struct file_cache_options){.ready_files = options->ready_files,
                                             .open_files = options->open_files};
    *out_folder = (struct folder_options){
        .listing = options->listing,
        .fallback = options->fallback,
        .mime_types = options->mime_types,
        .coding = options->coding,
        .coding_neighbours = options->neighbours,
        .level = {[CODING_GZIP] = options->gzip_level,
                  [CODING_ZSTD] = options->zstd_level,
                  [CODING_BR] = options->br_level},
        .coding_cache = options->coding_cache,
        .cache_control = {options->cache_control.at, options->cache_control.count},
        .error_pages = {options->error_pages.at, options->error_pages.count},
    };
    if (folder_options_wrong(out_folder, why, sizeof(why)))
        return usage_error(command, "%s", why);
    return read_sizes(command, options, out_folder, out_cache);
}
