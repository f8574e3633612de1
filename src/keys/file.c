/* Files of certificates: read whole, and looked at for changes. */
#include "keys/keys.h"
#include "tbl/limits_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int keys_read_bytes(const char *file, size_t max, char **out)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char *text = malloc(max + 1);
    size_t len = 0;
    ssize_t n = text ? 1 : -1;
    while (n > 0 && len < max) {
        n = read(fd, text + len, max - len);
        len += n > 0 ? (size_t)n : 0;
    }
    int error = n < 0 ? errno : len == max ? EFBIG : 0;
    close(fd);
    if (error) {
        free(text);
        return -error;
    }
    text[len] = '\0';
    *out = text;
    return (int)len;
}

int keys_read_public(const char *file, char **out)
{
    int len = keys_read_bytes(file, LIMIT_KEYS_CHAIN, out);
    if (len < 0 || !memmem(*out, (size_t)len, "PRIVATE KEY-----", 16))
        return len;
    OPENSSL_cleanse(*out, (size_t)len);
    free(*out);
    return -EKEYREJECTED;
}

static uint64_t mix(uint64_t mark, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) /* FNV-1a */
        mark = (mark ^ (value >> 8 * i & 255)) * 0x100000001b3u;
    return mark;
}

uint64_t keys_mark_file(const char *file, uint64_t mark)
{
    struct stat st = {.st_ino = 0};
    if (file && stat(file, &st) < 0)
        st.st_ino = 1;
    mark = mix(mix(mark ? mark : 0xcbf29ce484222325u, st.st_ino), (uint64_t)st.st_size);
    return mix(mix(mark, (uint64_t)st.st_mtim.tv_sec), (uint64_t)st.st_mtim.tv_nsec);
}
