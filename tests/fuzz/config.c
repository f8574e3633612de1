/* Configurations: whatever the text, it is read, or said to be wrong in one line that names a place in it. */
#include "cli/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The row of the command needs it; nothing here serves. */
int serve_run(void *values, int argc, char **argv)
{
    (void)values;
    (void)argc;
    (void)argv;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct command command = {.name = "fuzz"};
    static const struct serve_values none;
    struct config config = {.name = NULL};
    struct site_options options = {.root = NULL};
    if (len > 16384 || memchr(bytes, '\0', len))
        return 0;
    char *text = malloc(len + 1);
    memcpy(text, bytes, len);
    text[len] = '\0';
    int status = config_read_text(&config, &command, "text", text, &none);
    if (status == 0)
        status = config_options(&config, &command, &options);
    if (status == 0 && (!options.sites || options.sites->count == 0))
        abort();
    config_free(&config);
    free(text);
    return 0;
}
