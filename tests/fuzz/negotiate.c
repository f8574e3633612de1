/* Accept-Encoding and Accept from a stranger: read without a step outside, ranks within their bounds, and the same whether a
 * value is given at once or by its elements. */
#include "http/negotiate.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct accept_weights *weights)
{
    struct accept accept = accept_rank(weights);
    for (int i = 0; i < CODINGS; i++) {
        if (weights->of[i] < -1 || weights->of[i] > 1000 || accept.rank[i] > CODINGS)
            abort();
        if ((weights->of[i] == 0) && accept.rank[i] != 0)
            abort();
        for (int k = 0; k < CODINGS; k++)
            if (weights->of[i] > weights->of[k] && weights->of[k] >= 0 &&
                accept.rank[i] <= accept.rank[k])
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct accept_weights whole = ACCEPT_WEIGHTS, parts = ACCEPT_WEIGHTS;
    char *copy = malloc(len ? len : 1); /* its very end is watched */
    if (len > 0)
        memcpy(copy, bytes, len);
    struct weir_bytes value = {copy, len}, element;
    accept_add(&whole, value);
    check(&whole);
    while (bytes_next(&value, &element))
        accept_add(&parts, element);
    if (memcmp(&whole, &parts, sizeof(whole)) != 0)
        abort();
    free(copy);
    return 0;
}
