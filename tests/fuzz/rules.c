/* Redirects, rewrites and fields of a site, and where they lead: an operator's words first, a stranger's path after the first line end. */
#include "service/rules.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/target.h"
#include "tbl/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void follow(const struct redirects *redirects, struct weir_bytes path)
{
    static char to[4 * LIMIT_FILE_PATH_BYTES];
    const struct redirect *found = rules_find(redirects, path);
    struct text t;
    if (!found)
        return;
    text_init(&t, to, sizeof(to));
    redirect_target(found, path, BYTES("a=b"), &t);
    for (size_t i = 0; i < t.len; i++) /* no path may add a line, or blanks, to an answer */
        if ((unsigned char)t.at[i] <= ' ' || t.at[i] == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct rules rules;
    static char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path;
    if (len > 8192)
        return 0;
    char *copy = malloc(len + 1);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    char *line = memchr(copy, '\n', len);
    if (line)
        *line++ = '\0';
    rules.redirects.count = rules.rewrites.count = rules.field_count = 0;
    bool redirect = rules_add_redirect(&rules, copy) == 0,
         rewrite = rules_add_rewrite(&rules, copy) == 0;
    (void)!rules_add_field(&rules, copy);
    if (rewrite && !redirect)
        abort(); /* what can be rewritten can be redirected */
    if (line && path_clean((struct weir_bytes){line, len - (size_t)(line - copy)}, buffer,
                           sizeof(buffer), &path) == PATH_CLEAN) {
        follow(&rules.redirects, path);
        follow(&rules.rewrites, path);
    }
    free(copy);
    return 0;
}
