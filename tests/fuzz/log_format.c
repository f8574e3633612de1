/* Formats of a log and masks for addresses, before and after the first line end: read, or said to be wrong in a line. */
#include "service/log_format.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct log_format format;
    char why[600] = "", *copy = malloc(len + 1);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    char *mask = memchr(copy, '\n', len);
    if (mask)
        *mask++ = '\0';
    if (log_format_read(copy, mask, &format, why, sizeof(why)) < 0) {
        if (!why[0])
            abort();
    } else if (format.count > LIMIT_LOG_FIELDS || format.mask_v4 > 32 || format.mask_v6 > 128) {
        abort();
    }
    free(copy);
    return 0;
}
