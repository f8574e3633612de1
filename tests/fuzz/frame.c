/* Frames from a stranger: cut at any place, none of them may crash, leak, spin or be answered wrongly. */
#include "proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_protocol(&weir_frame, NULL, bytes, len);
    return 0;
}
