#include "service/file.h"

#include "base/text.h"
#include "http/date.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIELDS_MAX 480 /* without the type and Cache-Control */

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

struct stamp stamp_of(const struct stat *st)
{
    return (struct stamp){st->st_dev, st->st_ino, st->st_size, st->st_ctim, st->st_mtim};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool stamp_same(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           same_time(a->changed, b->changed) && same_time(a->modified, b->modified);
}

bool stamp_settled(const struct stamp *stamp, struct weir_now now)
{
    int64_t changed_ns = stamp->changed.tv_sec * (int64_t)WEIR_NS_PER_S + stamp->changed.tv_nsec;
    return now.wall_ns - changed_ns > (int64_t)(LIMIT_FILE_FRESH_MS * WEIR_NS_PER_MS);
}

bool file_unchanged(const struct file *file)
{
    struct stat st;
    if (fstat(file->fd, &st) < 0)
        return false;
    struct stamp stamp = stamp_of(&st);
    return stamp_same(&stamp, &file->stamp);
}

bool file_same(const struct stamp *was, int root, const char *name)
{
    struct stat st;
    if (fstatat(root, name, &st, 0) < 0)
        return false;
    struct stamp stamp = stamp_of(&st);
    return stamp_same(&stamp, was);
}

static void file_free(struct weir_ref *ref)
{
    struct file *file = (struct file *)ref;
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}

/* Strong: another inode, size or nanosecond is another tag, and so is another coding. */
static void write_etag(struct text *t, const struct file *file, const struct file_words *words)
{
    const struct stamp *stamp = words->tag ? words->source : &file->stamp;
    uint64_t mix = (uint64_t)stamp->ino * 0x9e3779b97f4a7c15u ^ (uint64_t)stamp->dev;
    mix = (mix ^ (uint64_t)stamp->modified.tv_nsec) * 0xbf58476d1ce4e5b9u;
    text_char(t, '"');
    text_hex(t, (uint64_t)stamp->modified.tv_sec);
    text_char(t, '-');
    text_hex(t, (uint64_t)stamp->size);
    text_char(t, '-');
    text_hex(t, mix ^ mix >> 29);
    if (words->coding != CODING_IDENTITY) {
        text_char(t, '-');
        text_str(t, words->tag ? words->tag : coding_name(words->coding));
    }
    text_char(t, '"');
}

static void write_line(struct text *t, const char *name, const char *value)
{
    text_str(t, name);
    text_str(t, ": ");
    text_str(t, value);
    text_str(t, "\r\n");
}

static void write_fields(struct file *file, const struct file_words *words, char *at, size_t size)
{
    struct text t;
    char date[DATE_LEN];
    text_init(&t, at, size);
    text_str(&t, "ETag: ");
    size_t tag = t.len;
    write_etag(&t, file, words);
    file->etag = (struct weir_bytes){at + tag, t.len - tag};
    text_str(&t, "\r\nLast-Modified: ");
    date_write(file->modified_s, date);
    text_add(&t, date, sizeof(date));
    text_str(&t, "\r\n");
    if (words->cache_control)
        write_line(&t, "Cache-Control", words->cache_control);
    if (words->varies)
        write_line(&t, "Vary", "Accept-Encoding");
    file->fields_304 = t.len;
    write_line(&t, "Content-Type", words->type);
    if (words->coding != CODING_IDENTITY)
        write_line(&t, "Content-Encoding", coding_name(words->coding));
    text_str(&t, "X-Content-Type-Options: nosniff\r\nAccept-Ranges: bytes\r\n");
    file->fields = (struct weir_bytes){at, t.len};
}

/* All in one allocation: the struct, field lines and, for a small file, room for its bytes. */
static struct file *file_new(const struct stat *st, const struct file_words *words,
                             struct weir_now now, size_t ready_max)
{
    size_t fields = FIELDS_MAX + strlen(words->type) +
                    (words->cache_control ? strlen(words->cache_control) : 0);
    size_t body = (size_t)st->st_size <= ready_max ? (size_t)st->st_size : 0;
    size_t memory = sizeof(struct file) + fields + body;
    struct file *file = malloc(memory);
    if (!file)
        return NULL;
    char *at = (char *)(file + 1);
    *file = (struct file){
        .ref = {1, file_free},
        .used_ns = now.mono_ns,
        .stamp = stamp_of(st),
        .coding = words->coding,
        .made = words->tag != NULL,
        .fd = -1,
        .body = (uint8_t *)at + fields,
        .size = (size_t)st->st_size,
        .memory = memory,
    };
    /* RFC 9110 section 8.8.2.1: never later than Date. */
    int64_t now_s = now.wall_ns / (int64_t)WEIR_NS_PER_S;
    int64_t modified_s = words->tag ? words->source->modified.tv_sec : file->stamp.modified.tv_sec;
    file->modified_s = modified_s < now_s ? modified_s : now_s;
    write_fields(file, words, at, fields);
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
    return file->made ? stamp.size == file->stamp.size : stamp_same(&stamp, &file->stamp);
}

int file_load(int fd, const struct stat *st, const struct file_words *words, struct weir_now now,
              size_t ready_max, struct file **out)
{
    struct file *file = file_new(st, words, now, ready_max);
    if (!file) {
        close(fd);
        return -ENOMEM;
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

/* What names can mean instead of a regular file is no fault of ours: there is nothing. */
static int open_error(int error)
{
    switch (error) {
    case -ENOTDIR:
    case -ELOOP:
    case -EXDEV: /* a link that leads out */
    case -ENAMETOOLONG:
    case -ENXIO: /* a socket, or a device that is not there */
    case -ENODEV:
        return -ENOENT;
    default:
        return error;
    }
}

int file_open(int root, const char *name, int *out_fd, struct stat *out)
{
    /* O_NONBLOCK: a named pipe opens at once and is then refused, a lease is not waited for. */
    int fd = open_beneath(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return open_error(fd);
    struct stat st;
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    if (rc == 0 && S_ISDIR(st.st_mode))
        rc = -EISDIR;
    else if (rc == 0 && !S_ISREG(st.st_mode))
        rc = -ENOENT;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    *out_fd = fd;
    *out = st;
    return 0;
}

int file_open_folder(int root, const char *name, int *out_fd)
{
    int fd = open_beneath(root, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return open_error(fd);
    *out_fd = fd;
    return 0;
}

int file_look(int root, const char *name, struct stat *out)
{
    struct stat st;
    int fd = open_beneath(root, name, O_PATH);
    if (fd < 0)
        return open_error(fd);
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    close(fd);
    if (rc == 0)
        *out = st;
    return rc;
}
