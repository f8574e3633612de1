/* Password files: whatever the text, it is read, or a line of it is said to be wrong; users are found by their names. */
#include "base/bytes.h"
#include "service/password.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct passwords *passwords)
{
    char why[300];
    for (size_t i = 0; i < passwords->count; i++) {
        const struct password_entry *entry = &passwords->entries[i];
        if (!password_user_valid(entry->user) ||
            password_hash_check(bytes_str(entry->hash), why, sizeof(why)) < 0 ||
            passwords_find(passwords, entry->user) != entry)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct passwords *passwords;
    unsigned line = 0;
    char why[300] = "", *copy = malloc(len ? len : 1);
    if (len > 0)
        memcpy(copy, bytes, len);
    int rc = passwords_read(copy, len, &passwords, &line, why, sizeof(why));
    if (rc == 0) {
        check(passwords);
        passwords_drop(passwords);
    } else if (line == 0 || !why[0]) {
        abort();
    }
    free(copy);
    return 0;
}
