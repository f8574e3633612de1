/* Names of endpoints: every text is either good, or told why not on one line that fits. Parses only: opens nothing. */
#include "stream/transport.h"

#include <weir/process.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name, bool for_listening, size_t why_size)
{
    char why[512];
    const struct transport *row;
    const char *rest;
    memset(why, 'x', sizeof(why));
    int rc = weir_endpoint_check(name, for_listening, why, why_size);
    if (rc != endpoint_parse(name, for_listening, &row, &rest))
        abort();
    if (rc == 0 && (why[0] != 'x' || rest < name || rest > name + strlen(name)) &&
        row->scheme[0] != '-')
        abort();
    if (rc < 0 && (strnlen(why, why_size) >= why_size || strpbrk(why, "\n\r")))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1);
    char **words;
    struct host_port hp;
    if (!name)
        return 0;
    if (size > 0)
        memcpy(name, data, size);
    name[size] = '\0';
    check(name, false, 512);
    check(name, true, 512);
    check(name, false, 1 + size % 64);
    if (!host_port_split(name, true, &hp) && (!hp.host[0] || !hp.port[0]))
        abort();
    if (weir_words(name, &words) == 0)
        free(words);
    free(name);
    return 0;
}
