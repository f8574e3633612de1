#include "stream/spool_folder.h"

#include "tbl/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGITS 20 /* of 2^64, so that names sort like numbers */

const char *spool_segment_name(uint64_t first, char name[SPOOL_NAME_BYTES])
{
    snprintf(name, SPOOL_NAME_BYTES, "%0*llu.seg", DIGITS, (unsigned long long)first);
    return name;
}

static bool segment_number(const char *name, uint64_t *out)
{
    uint64_t number = 0;
    if (strlen(name) != DIGITS + 4 || strcmp(name + DIGITS, ".seg") != 0)
        return false;
    for (int i = 0; i < DIGITS; i++) {
        unsigned digit = (unsigned)(name[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, digit, &number))
            return false;
    }
    *out = number;
    return true;
}

/* A place of its own in the folder, which others may list at the same time. */
static DIR *list_open(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *dir = fdopendir(fd);
    if (!dir)
        close(fd);
    return dir;
}

static int list_add(struct spool_list *list, uint64_t number)
{
    if (list->count == LIMIT_SPOOL_SEGMENTS)
        return -EOVERFLOW;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        uint64_t *at = realloc(list->at, room * sizeof(*at));
        if (!at)
            return -ENOMEM;
        list->at = at;
        list->room = room;
    }
    list->at[list->count++] = number;
    return 0;
}

static int order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Once through the folder. */
static int scan(int folder, struct spool_list *out)
{
    struct spool_list list = {0};
    uint64_t number;
    int rc = 0;
    DIR *dir = list_open(folder);
    if (!dir)
        return -errno;
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir));)
        if (segment_number(entry->d_name, &number))
            rc = list_add(&list, number);
    closedir(dir);
    if (rc < 0) {
        spool_list_free(&list);
        return rc;
    }
    if (list.count > 0)
        qsort(list.at, list.count, sizeof(*list.at), order);
    *out = list;
    return 0;
}

/*
 * What two scans agree upon. A file that comes or goes during a scan is seen in it or not, each for itself, so that one scan alone may
 * have a hole. But segments come and go in order: all up to the newest of the first scan were there before the second one, and what
 * only the first has seen was removed, with everything before it.
 */
static void agree(struct spool_list *list, const struct spool_list *before)
{
    size_t i = before->count, j = list->count;
    while (j > 0 && (i == 0 || list->at[j - 1] > before->at[i - 1]))
        j--;
    size_t end = j;
    while (i > 0 && j > 0 && before->at[i - 1] <= list->at[j - 1]) {
        i -= before->at[i - 1] == list->at[j - 1];
        j--;
    }
    size_t begin = i > 0 ? j : 0;
    list->count = end - begin;
    if (list->count > 0)
        memmove(list->at, list->at + begin, list->count * sizeof(*list->at));
}

int spool_list(int folder, struct spool_list *out)
{
    struct spool_list before;
    int rc = scan(folder, &before);
    if (rc < 0)
        return rc;
    rc = scan(folder, out);
    if (rc == 0)
        agree(out, &before);
    spool_list_free(&before);
    return rc;
}

void spool_list_free(struct spool_list *list)
{
    free(list->at);
    *list = (struct spool_list){0};
}

bool spool_list_after(const struct spool_list *list, uint64_t first, uint64_t *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i] > first) {
            *out = list->at[i];
            return true;
        }
    }
    return false;
}

bool spool_list_has(const struct spool_list *list, uint64_t first)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i] == first)
            return true;
    return false;
}

int spool_segment_open(int folder, uint64_t first, int flags)
{
    char name[SPOOL_NAME_BYTES];
    int fd = openat(folder, spool_segment_name(first, name), flags | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static int write_heads(int fd, const struct spool_head *head, bool durable)
{
    uint8_t bytes[SPOOL_HEADS_BYTES];
    spool_head_put(bytes, head);
    spool_head_put(bytes + SPOOL_HEAD_BYTES, head);
    ssize_t n = pwrite(fd, bytes, sizeof(bytes), 0);
    if (n < 0)
        return -errno;
    if (n < (ssize_t)sizeof(bytes))
        return -ENOSPC;
    return durable && fdatasync(fd) < 0 ? -errno : 0;
}

int spool_segment_create(int folder, const struct spool_head *head, bool durable)
{
    static const char fresh[] = "new.tmp"; /* one writer at a time, so one name is enough */
    char name[SPOOL_NAME_BYTES];
    int fd = openat(folder, fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return -errno;
    int rc = write_heads(fd, head, durable);
    if (rc == 0 && renameat(folder, fresh, folder, spool_segment_name(head->first, name)) < 0)
        rc = -errno;
    if (rc < 0) {
        unlinkat(folder, fresh, 0);
        close(fd);
        return rc;
    }
    if (durable && fsync(folder) < 0) { /* it is there, and a reader may be in it */
        close(fd);
        return -EIO;
    }
    return fd;
}

int spool_segment_head(int fd, uint64_t first, struct spool_head *out, bool *out_spoilt)
{
    uint8_t bytes[SPOOL_HEADS_BYTES] = {0};
    struct spool_head heads[2];
    bool good[2];
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
    if (n < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        good[i] =
            spool_head_get(bytes + i * SPOOL_HEAD_BYTES, &heads[i]) && heads[i].first == first;
    if (!good[0] && !good[1])
        return -EBADMSG;
    *out = heads[good[0] ? 0 : 1];
    *out_spoilt = !good[0] || !good[1];
    return 0;
}

/* A lock of the open file, not of the process: it is not lost when some other descriptor of the file is closed. */
int spool_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

int spool_lock_writer(int folder)
{
    char text[32];
    int fd = openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return -errno;
    int rc = spool_lock(fd);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    /* Who it is, for those who find it locked. On a full disk it stays unsaid. */
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
        errno = 0;
    return fd;
}

pid_t spool_lock_holder(const char *folder)
{
    char path[PATH_MAX], text[32] = "";
    snprintf(path, sizeof(path), "%s/lock", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* The length of the reader's name, 0: it is another file. */
static size_t reader_name(const char *name)
{
    size_t len = strlen(name), ending = strlen(".reader");
    return len > ending && strcmp(name + len - ending, ".reader") == 0 ? len - ending : 0;
}

int spool_readers(int folder, int (*visit)(void *arg, const char *name, int fd), void *arg)
{
    int rc = 0;
    DIR *dir = list_open(folder);
    if (!dir)
        return -errno;
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir));) {
        size_t len = reader_name(entry->d_name);
        int fd = len == 0 ? -ENOENT
                          : openat(folder, entry->d_name,
                                   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (len == 0 || (fd < 0 && errno == ENOENT))
            continue;
        if (fd < 0) {
            rc = -errno;
            break;
        }
        entry->d_name[len] = '\0';
        rc = visit(arg, entry->d_name, fd);
        close(fd);
    }
    closedir(dir);
    return rc;
}
