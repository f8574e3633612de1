/* Dates of a stranger (RFC 9110 section 5.6.7): what is read can be written, and is then read as the same second. */
#include "http/date.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const int64_t now_s = 1800000000;
    int64_t seconds, again;
    char written[DATE_LEN], *copy = malloc(len ? len : 1); /* its very end is watched */
    if (len > 0)
        memcpy(copy, bytes, len);
    if (date_read((struct weir_bytes){copy, len}, now_s, &seconds) == 0) {
        date_write(seconds, written);
        if (date_read((struct weir_bytes){written, DATE_LEN}, now_s, &again) < 0 ||
            again != seconds)
            abort();
    }
    free(copy);
    return 0;
}
