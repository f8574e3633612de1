#include "base/bytes.h"
#include "base/text.h"
#include "rpc/wire.h"

#include <errno.h>

#define DIGITS_MAX 99999999u /* eight of them */

static const struct unit {
    char letter;
    uint64_t ns;
} units[] = {
    {'n', 1},
    {'u', 1000},
    {'m', WEIR_NS_PER_MS},
    {'S', WEIR_NS_PER_S},
    {'M', 60 * WEIR_NS_PER_S},
    {'H', 3600 * WEIR_NS_PER_S},
};
#define UNITS (sizeof(units) / sizeof(units[0]))

/* The finest unit that fits. */
size_t rpc_timeout_format(uint64_t ns, char text[RPC_TIMEOUT_MAX])
{
    struct text t;
    size_t i = 0;
    while (i < UNITS - 1 && ns / units[i].ns >= DIGITS_MAX)
        i++;
    uint64_t count = ns / units[i].ns + (ns % units[i].ns > 0);
    text_init(&t, text, RPC_TIMEOUT_MAX);
    text_u64(&t, count < DIGITS_MAX ? count : DIGITS_MAX);
    text_char(&t, units[i].letter);
    text_end(&t);
    return t.len;
}

int rpc_timeout_parse(struct weir_bytes text, uint64_t *out_ns)
{
    uint64_t count;
    if (text.len < 2 || text.len > 9)
        return -EINVAL;
    if (bytes_u64((struct weir_bytes){text.at, text.len - 1}, &count) < 0)
        return -EINVAL;
    for (size_t i = 0; i < UNITS; i++) {
        if (units[i].letter != text.at[text.len - 1])
            continue;
        *out_ns = count > UINT64_MAX / 2 / units[i].ns ? UINT64_MAX / 2 : count * units[i].ns;
        return 0;
    }
    return -EINVAL;
}
