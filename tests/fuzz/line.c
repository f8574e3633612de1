/* Lines from a stranger; the first byte chooses the options. */
#include "proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct weir_line_options options[] = {
        {.strip_cr = true},
        {.delimiter = {"\r\n", 2}, .bytes_max = 64},
        {.delimiter = {"", 1}},
        {.delimiter = {"aab", 3}, .strip_cr = true, .bytes_max = 16},
    };
    if (len > 0)
        fuzz_protocol(&weir_line, &options[bytes[0] % 4], bytes + 1, len - 1);
    return 0;
}
