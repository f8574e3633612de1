#include "cli/http_options.h"

#include "cli/quantity.h"
#include "tbl/limits.h"

/* Nothing given: *out stays 0, the default. */
static int read_size(const struct command *command, const char *option, const char *text,
                     uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t size;
    if (!text)
        return 0;
    if (quantity_bytes(text, &size) < 0 || size < least || size > most)
        return usage_error(command,
                           "--%s takes a size from %llu to %llu bytes, such as 4K, not '%s'",
                           option, (unsigned long long)least, (unsigned long long)most, text);
    *out = size;
    return 0;
}

int http_options_read(const struct command *command, const struct http_options *options,
                      struct weir_http *out)
{
    uint64_t line = 0, fields = 0, body = 0, rate = LIMIT_HTTP_RATE;
    const struct {
        const char *option, *text;
        uint64_t least, most, *to;
    } rows[] = {
        {"max-line", options->line, 16, LIMIT_HTTP_LINE_MOST, &line},
        {"max-fields", options->fields, 16, LIMIT_HTTP_FIELDS_MOST, &fields},
        {"max-body", options->body, 1, LIMIT_HTTP_BODY_MOST, &body},
        {"min-rate", options->rate, 0, LIMIT_HTTP_RATE_MOST, &rate},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status = read_size(command, rows[i].option, rows[i].text, rows[i].least, rows[i].most,
                               rows[i].to);
        if (status != 0)
            return status;
    }
    out->line_max = (unsigned)line;
    out->fields_max = (unsigned)fields;
    out->field_count_max = options->field_count;
    out->body_max = body;
    out->min_rate = rate > 0 ? (unsigned)rate : WEIR_RATE_ANY;
    return 0;
}
