#include "service/coding_sweep.h"

#include "tbl/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "weir-coded-"

struct result {
    uint64_t blocks;
    struct timespec used;
    char name[CODING_NAME_MAX];
};

struct results {
    struct result *at;
    size_t count, room;
    uint64_t bytes;
};

uint64_t coding_sweep_blocks(uint64_t size)
{
    const uint64_t block = LIMIT_CODING_BLOCK_BYTES;
    return size > 0 ? (size + block - 1) / block * block : block;
}

/* A reader of the folder with a position of its own. */
static DIR *open_again(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *reader = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !reader)
        close(fd);
    return reader;
}

static void add(struct results *results, int dir, const char *name)
{
    struct stat st;
    if (results->count == results->room) {
        size_t room = results->room ? results->room * 2 : 256;
        struct result *at = realloc(results->at, room * sizeof(*at));
        if (!at)
            return;
        results->at = at;
        results->room = room;
    }
    if (strlen(name) >= CODING_NAME_MAX || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode))
        return;
    struct result *result = &results->at[results->count++];
    result->blocks = coding_sweep_blocks((uint64_t)st.st_size);
    result->used = st.st_atim;
    strcpy(result->name, name);
    results->bytes += result->blocks;
}

static void list(struct results *results, int dir)
{
    DIR *reader = open_again(dir);
    const struct dirent *entry;
    while (reader && results->count < LIMIT_CODING_FILES && (entry = readdir(reader)))
        if (strncmp(entry->d_name, CODING_OWN, sizeof(CODING_OWN) - 1) != 0)
            add(results, dir, entry->d_name);
    if (reader)
        closedir(reader);
}

static int by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const struct result *)a)->used;
    const struct timespec *y = &((const struct result *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static void sweep(int dir, uint64_t max, atomic_ullong *bytes)
{
    struct results results = {0};
    uint64_t before = atomic_load(bytes);
    list(&results, dir);
    if (results.bytes > max) {
        qsort(results.at, results.count, sizeof(*results.at), by_use);
        for (size_t i = 0; i < results.count && results.bytes > max - max / 4; i++)
            if (unlinkat(dir, results.at[i].name, 0) == 0)
                results.bytes -= results.at[i].blocks;
    }
    /* Results that others add meanwhile count on: twice, if they were listed, until the next sweep. */
    atomic_fetch_add(bytes, results.bytes - before);
    free(results.at);
}

void coding_sweep(int dir, uint64_t max, atomic_ullong *bytes)
{
    int lock = openat(dir, CODING_OWN "sweep", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0)
        sweep(dir, max, bytes);
    close(lock);
}

void coding_sweep_all(int dir)
{
    DIR *reader = open_again(dir);
    const struct dirent *entry;
    while (reader && (entry = readdir(reader)))
        (void)unlinkat(dir, entry->d_name, 0); /* not "." and "..": those are folders */
    if (reader)
        closedir(reader);
}

/* Nobody holds its lock, and it is not one that was made a moment ago and is about to be locked. Not by time(), which is behind
 * by up to a tick: since Linux 6.13 a file's time may be later. */
static bool is_stale(int dir, unsigned young_s)
{
    struct stat st;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return fstat(dir, &st) == 0 && st.st_uid == geteuid() &&
           now.tv_sec - st.st_ctim.tv_sec >= young_s && flock(dir, LOCK_EX | LOCK_NB) == 0;
}

void coding_sweep_stale(const char *path, unsigned young_s)
{
    DIR *reader = opendir(path);
    const struct dirent *entry;
    while (reader && (entry = readdir(reader))) {
        if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) != 0)
            continue;
        int dir =
            openat(dirfd(reader), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
            continue;
        if (is_stale(dir, young_s)) {
            coding_sweep_all(dir);
            (void)unlinkat(dirfd(reader), entry->d_name, AT_REMOVEDIR);
        }
        close(dir);
    }
    if (reader)
        closedir(reader);
}
