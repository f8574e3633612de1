#include "service/coding_store.h"

#include "base/text.h"
#include "service/coding_sweep.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define OWN_NAME "/weir-coded-XXXXXX"

/* Only its owner may have written what goes out to everybody. */
static int check_folder(int dir)
{
    struct stat st;
    if (fstat(dir, &st) < 0)
        return -errno;
    return st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

static int open_folder(struct coding_store *store, const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    int rc = check_folder(dir);
    if (rc < 0) {
        close(dir);
        return rc;
    }
    store->dir = dir;
    return 0;
}

/* A lock that lasts as long as any of our processes tells the next server that this folder is not a dead one's. */
static int make_folder(struct coding_store *store, const char *below)
{
    size_t len = strcspn(below, ":"); /* systemd may give a list */
    char *path = malloc(len + sizeof(OWN_NAME));
    if (!path)
        return -ENOMEM;
    memcpy(path, below, len);
    memcpy(path + len, OWN_NAME, sizeof(OWN_NAME));
    int rc = mkdtemp(path) ? open_folder(store, path) : -errno;
    if (rc < 0) {
        free(path);
        return rc;
    }
    (void)flock(store->dir, LOCK_SH | LOCK_NB);
    store->path = path;
    store->maker = getpid();
    path[len] = '\0';
    coding_sweep_stale(path, LIMIT_CODING_STALE_S);
    path[len] = '/';
    return 0;
}

static int make_some_folder(struct coding_store *store)
{
    const char *const places[] = {getenv("RUNTIME_DIRECTORY"), getenv("XDG_RUNTIME_DIR"),
                                  getenv("TMPDIR"), "/tmp"};
    int rc = -ENOENT;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && rc < 0 && rc != -ENOMEM; i++)
        if (places[i] && places[i][0] == '/')
            rc = make_folder(store, places[i]);
    return rc;
}

int coding_store_open(struct coding_store *store, const char *dir, uint64_t max)
{
    *store = (struct coding_store){.dir = -1, .max = max};
    int rc = dir ? open_folder(store, dir) : make_some_folder(store);
    if (rc < 0)
        return rc;
    void *shared = mmap(NULL, sizeof(*store->bytes), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        coding_store_close(store);
        return -ENOMEM;
    }
    store->bytes = shared;
    if (dir)
        coding_sweep(store->dir, store->max, store->bytes);
    return 0;
}

void coding_store_close(struct coding_store *store)
{
    if (store->bytes)
        munmap(store->bytes, sizeof(*store->bytes));
    if (store->path && store->maker == getpid()) {
        coding_sweep_all(store->dir);
        rmdir(store->path);
    }
    if (store->dir >= 0)
        close(store->dir);
    free(store->path);
    *store = (struct coding_store){.dir = -1};
}

static void write_time(struct text *t, struct timespec time)
{
    text_hex(t, (uint64_t)time.tv_sec);
    text_char(t, '.');
    text_hex(t, (uint64_t)time.tv_nsec);
    text_char(t, '-');
}

static void write_name(const struct coding_key *key, char name[CODING_NAME_MAX])
{
    struct text t;
    char tag[CODER_TAG_MAX];
    text_init(&t, name, CODING_NAME_MAX);
    text_hex(&t, key->stamp.dev);
    text_char(&t, '-');
    text_hex(&t, key->stamp.ino);
    text_char(&t, '-');
    text_hex(&t, (uint64_t)key->stamp.size);
    text_char(&t, '-');
    write_time(&t, key->stamp.modified);
    write_time(&t, key->stamp.changed);
    coder_tag(key->coding, key->level, tag);
    text_str(&t, tag);
    text_end(&t);
}

int coding_store_find(const struct coding_store *store, const struct coding_key *key, int *out_fd)
{
    char name[CODING_NAME_MAX];
    struct stat st;
    write_name(key, name);
    int fd = openat(store->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -ENOENT;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
        close(fd);
        return -EFBIG;
    }
    const struct timespec used[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    (void)futimens(fd, used);
    *out_fd = fd;
    return 0;
}

/* A number that is the same for the same file, whatever it is coded to. */
static unsigned place_of(const struct coding_key *key)
{
    uint64_t mix = ((uint64_t)key->stamp.ino * 0x9e3779b97f4a7c15u) ^ (uint64_t)key->stamp.size;
    return (unsigned)((mix >> 32) % LIMIT_CODING_PLACES);
}

/* At most so many files are coded at once, and never one file twice: its place is given by its number. Returns the locked file. */
static int take_place(const struct coding_store *store, const char *name)
{
    int fd = openat(store->dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    const struct timespec moment = {.tv_nsec = 2 * WEIR_NS_PER_MS};
    for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 2) {
        if (errno != EWOULDBLOCK || waited >= LIMIT_CODING_BUSY_MS) {
            close(fd);
            return -EAGAIN;
        }
        (void)nanosleep(&moment, NULL);
    }
    return fd;
}

/* 0: `to` holds what goes into the store. */
static int fill(const struct coding_store *store, const struct coding_key *key, int from, int to)
{
    struct stat st;
    uint64_t size = (uint64_t)key->stamp.size;
    int rc = coder_run(key->coding, key->level, from, size, to, size - size / LIMIT_CODING_SAVES);
    if (rc == -EFBIG)
        rc = ftruncate(to, 0) < 0 ? -errno : 0;
    if (rc < 0)
        return rc;
    if (fstat(from, &st) < 0)
        return -errno;
    struct stamp now = stamp_of(&st);
    if (!stamp_same(&now, &key->stamp))
        return -ESTALE;
    /* What outlives this server must not be found half-written after the power failed. */
    return !store->path && fdatasync(to) < 0 ? -errno : 0;
}

static void count(const struct coding_store *store, int fd)
{
    struct stat st;
    uint64_t size = fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
    uint64_t blocks = coding_sweep_blocks(size);
    if (atomic_fetch_add(store->bytes, blocks) + blocks > store->max)
        coding_sweep(store->dir, store->max, store->bytes);
}

/* In the place that was taken: nobody else writes to the file of that name. */
static int make(const struct coding_store *store, const struct coding_key *key, int from,
                const char *fresh)
{
    char name[CODING_NAME_MAX];
    write_name(key, name);
    int fd = openat(store->dir, fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int rc = fill(store, key, from, fd);
    if (rc == 0 && renameat(store->dir, fresh, store->dir, name) < 0)
        rc = -errno;
    if (rc < 0)
        (void)unlinkat(store->dir, fresh, 0);
    else
        count(store, fd);
    close(fd);
    return rc;
}

int coding_store_make(const struct coding_store *store, const struct coding_key *key, int from)
{
    char lock[CODING_NAME_MAX], fresh[CODING_NAME_MAX];
    struct text t;
    text_init(&t, lock, sizeof(lock));
    text_fmt(&t, CODING_OWN "place-%u", place_of(key));
    text_end(&t);
    text_init(&t, fresh, sizeof(fresh));
    text_fmt(&t, CODING_OWN "new-%u", place_of(key));
    text_end(&t);
    int place = take_place(store, lock);
    if (place < 0)
        return place;
    int fd;
    int rc = coding_store_find(store, key, &fd);
    if (rc == 0)
        close(fd);
    else
        rc = rc == -EFBIG ? 0 : make(store, key, from, fresh);
    close(place);
    return rc;
}
