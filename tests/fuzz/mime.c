/* Files of types: whatever is in one, each name has a type that can stand in a field. */
#include "service/mime.h"

#include "base/bytes.h"
#include "http/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const names[] = {"a", "a.html", "b/.x", "a.tar.gz", "a.X", "", "a.", "a.b"};
    struct mime_map *map;
    char name[40];
    int fd = memfd_create("types", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    if (mime_open(name, &map) == 0) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            const char *type = mime_type(map, bytes_str(names[i]));
            if (!type || field_value_run(type, strlen(type)) < strlen(type))
                abort();
            (void)mime_worth(type);
        }
        mime_close(map);
    }
    close(fd);
    return 0;
}
