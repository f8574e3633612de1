/* The memory of a shared memory stream: one file without a name. */
#include "stream/shm.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* Nobody can shrink it (a page that is gone is SIGBUS), grow it, or take the seals off. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t file_bytes(size_t bytes)
{
    return page_bytes() + 2 * bytes;
}

size_t shm_size(uint64_t asked)
{
    size_t bytes = page_bytes();
    if (asked > LIMIT_SHM_BYTES)
        return 0;
    while (bytes < asked)
        bytes *= 2;
    return bytes;
}

static int make_file(void)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("weir-shm", flags | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("weir-shm", flags);
    return fd < 0 ? -errno : fd;
}

int shm_memory_new(size_t bytes)
{
    int fd = make_file();
    if (fd < 0)
        return fd;
    /* Allocated now, so that no later touch of a page can fail for want of memory. Grows the file, too. */
    int rc = fallocate(fd, 0, 0, (off_t)file_bytes(bytes)) < 0 ? -errno : 0;
    if (rc == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        rc = -errno;
    if (rc == 0)
        return fd;
    close(fd);
    return rc == -ENOSPC ? -ENOMEM : rc;
}

int shm_memory_check(int memory, size_t bytes)
{
    struct stat st;
    if (bytes > LIMIT_SHM_BYTES || bytes < page_bytes() || bytes & (bytes - 1))
        return -EPROTO;
    int seals = fcntl(memory, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(memory, &st) < 0)
        return -EPROTO;
    bool whole = (uint64_t)st.st_blocks * 512 >= file_bytes(bytes);
    return whole && (uint64_t)st.st_size == file_bytes(bytes) ? 0 : -EPROTO;
}

static bool map_at(uint8_t *at, size_t len, int memory, size_t offset)
{
    return mmap(at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, (off_t)offset) !=
           MAP_FAILED;
}

/* In memory: header, ring 0, ring 0 again, ring 1, ring 1 again; in the file each is once. Three pieces make that. */
int shm_map(int memory, size_t bytes, struct shm_map *out)
{
    size_t page = page_bytes();
    size_t len = page + 4 * bytes;
    uint8_t *base = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return -errno;
    if (!map_at(base, page + bytes, memory, 0) ||
        !map_at(base + page + bytes, 2 * bytes, memory, page) ||
        !map_at(base + page + 3 * bytes, bytes, memory, page + bytes)) {
        int rc = -errno;
        munmap(base, len);
        return rc;
    }
    *out = (struct shm_map){base, len, bytes};
    return 0;
}

void shm_unmap(struct shm_map *map)
{
    if (map->base)
        munmap(map->base, map->len);
    map->base = NULL;
}

struct ring_shared *shm_map_shared(const struct shm_map *map, unsigned ring)
{
    return (struct ring_shared *)(void *)map->base + ring;
}

uint8_t *shm_map_bytes(const struct shm_map *map, unsigned ring)
{
    return map->base + page_bytes() + ring * 2 * map->bytes;
}
