#include "service/file.h"

#include "base/text.h"
#include "http/date.h"
#include "service/mime.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIELDS_MAX 384
#define INDEX      "index.html"

/* Retried while a rename is under way somewhere below: the kernel cannot then tell whether ".." stays inside. */
static int open_beneath(int root, const char *name, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    for (unsigned i = 0;; i++) {
        long fd = syscall(SYS_openat2, root, name, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno != EINTR && (errno != EAGAIN || i >= LIMIT_FILE_RACE_TRIES))
            return -errno;
    }
}

int file_root_open(const char *root, int *out_fd)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int probe = open_beneath(fd, ".", O_PATH | O_DIRECTORY);
    if (probe < 0) {
        close(fd);
        return probe;
    }
    close(probe);
    *out_fd = fd;
    return 0;
}

static struct stamp stamp_of(const struct stat *st)
{
    return (struct stamp){st->st_dev, st->st_ino, st->st_size, st->st_ctim, st->st_mtim};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           same_time(a->changed, b->changed) && same_time(a->modified, b->modified);
}

bool file_unchanged(const struct file *file)
{
    struct stat st;
    if (fstat(file->fd, &st) < 0)
        return false;
    struct stamp stamp = stamp_of(&st);
    return same_stamp(&stamp, &file->stamp);
}

bool file_same(const struct file *file, int root)
{
    struct stat st;
    if (fstatat(root, file->name, &st, 0) < 0)
        return false;
    struct stamp stamp = stamp_of(&st);
    return same_stamp(&stamp, &file->stamp);
}

static void file_free(struct weir_ref *ref)
{
    struct file *file = (struct file *)ref;
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}

/* Strong: another inode, size or nanosecond is another tag. */
static void write_etag(struct text *t, const struct stamp *stamp)
{
    uint64_t mix = (uint64_t)stamp->ino * 0x9e3779b97f4a7c15u ^ (uint64_t)stamp->dev;
    mix = (mix ^ (uint64_t)stamp->modified.tv_nsec) * 0xbf58476d1ce4e5b9u;
    text_char(t, '"');
    text_hex(t, (uint64_t)stamp->modified.tv_sec);
    text_char(t, '-');
    text_hex(t, (uint64_t)stamp->size);
    text_char(t, '-');
    text_hex(t, mix ^ mix >> 29);
    text_char(t, '"');
}

static void write_fields(struct file *file, char *at)
{
    struct text t;
    char date[DATE_LEN];
    text_init(&t, at, FIELDS_MAX);
    text_str(&t, "ETag: ");
    size_t tag = t.len;
    write_etag(&t, &file->stamp);
    file->etag = (struct weir_bytes){at + tag, t.len - tag};
    text_str(&t, "\r\nLast-Modified: ");
    date_write(file->modified_s, date);
    text_add(&t, date, sizeof(date));
    text_str(&t, "\r\n");
    file->fields_304 = t.len;
    text_str(&t, "Content-Type: ");
    text_str(&t, mime_type((struct weir_bytes){file->name, strlen(file->name)}));
    text_str(&t, "\r\nX-Content-Type-Options: nosniff\r\nAccept-Ranges: bytes\r\n");
    file->fields = (struct weir_bytes){at, t.len};
}

/* All in one allocation: the struct, field lines, name, path and, for a small file, room for its bytes. */
static struct file *file_new(struct weir_bytes path, const char *name, const struct stat *st,
                             struct weir_now now, size_t ready_max)
{
    size_t name_len = strlen(name) + 1;
    size_t body = (size_t)st->st_size <= ready_max ? (size_t)st->st_size : 0;
    size_t memory = sizeof(struct file) + FIELDS_MAX + name_len + path.len + body;
    struct file *file = malloc(memory);
    if (!file)
        return NULL;
    char *fields = (char *)(file + 1), *name_at = fields + FIELDS_MAX,
         *path_at = name_at + name_len;
    *file = (struct file){
        .ref = {1, file_free},
        .stamp = stamp_of(st),
        .fd = -1,
        .body = (uint8_t *)path_at + path.len,
        .size = (size_t)st->st_size,
        .path = {path_at, path.len},
        .name = name_at,
        .memory = memory,
        .checked_ns = now.mono_ns,
    };
    /* RFC 9110 section 8.8.2.1: never later than Date. */
    int64_t now_s = now.wall_ns / (int64_t)WEIR_NS_PER_S;
    file->modified_s = st->st_mtim.tv_sec < now_s ? st->st_mtim.tv_sec : now_s;
    int64_t changed_ns = st->st_ctim.tv_sec * (int64_t)WEIR_NS_PER_S + st->st_ctim.tv_nsec;
    file->settled = now.wall_ns - changed_ns > (int64_t)(LIMIT_FILE_FRESH_MS * WEIR_NS_PER_MS);
    memcpy(name_at, name, name_len);
    memcpy(path_at, path.at, path.len);
    write_fields(file, fields);
    return file;
}

/* Reads all of a small file. false: it changed meanwhile. */
static bool read_body(struct file *file, int fd)
{
    uint8_t *to = (uint8_t *)(uintptr_t)file->body;
    size_t have = 0;
    while (have < file->size) {
        ssize_t n = pread(fd, to + have, file->size - have, (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    struct stamp stamp = stamp_of(&st);
    return same_stamp(&stamp, &file->stamp);
}

/* The descriptor goes over to the file, or is closed. */
static int load(int fd, struct weir_bytes path, const char *name, struct weir_now now,
                size_t ready_max, struct file **out)
{
    struct stat st;
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    if (rc == 0 && S_ISDIR(st.st_mode))
        rc = -EISDIR;
    else if (rc == 0 && !S_ISREG(st.st_mode))
        rc = -ENOENT;
    struct file *file = rc == 0 ? file_new(path, name, &st, now, ready_max) : NULL;
    if (!file) {
        close(fd);
        return rc < 0 ? rc : -ENOMEM;
    }
    if (file->size <= ready_max && read_body(file, fd)) {
        close(fd);
    } else { /* large, or being written: it goes out as it then is, and is cut where it ends early */
        file->fd = fd;
        file->body = NULL;
    }
    *out = file;
    return 0;
}

int file_open(int root, struct weir_bytes path, struct weir_now now, size_t ready_max,
              struct file **out)
{
    char name[LIMIT_FILE_PATH_BYTES + sizeof(INDEX)];
    if (path.len > LIMIT_FILE_PATH_BYTES)
        return -ENOENT;
    struct text t;
    text_init(&t, name, sizeof(name));
    text_add(&t, path.at + 1, path.len - 1);
    if (path.at[path.len - 1] == '/')
        text_str(&t, INDEX);
    text_end(&t);
    /* O_NONBLOCK: a named pipe opens at once and is then refused, a lease is not waited for. */
    int fd = open_beneath(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    switch (fd) {
    case -ENOTDIR:
    case -ELOOP:
    case -EXDEV: /* a link that leads out */
    case -ENAMETOOLONG:
    case -ENXIO: /* a socket, or a device that is not there */
    case -ENODEV:
        return -ENOENT;
    default:
        return fd < 0 ? fd : load(fd, path, name, now, ready_max, out);
    }
}
