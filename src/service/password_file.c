#include "service/password_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int password_file_text(int fd, char **out, size_t *out_len)
{
    char *text = malloc(LIMIT_AUTH_FILE_BYTES + 1);
    size_t len = 0;
    ssize_t n = text ? 1 : -1;
    while (n > 0 && len <= LIMIT_AUTH_FILE_BYTES) {
        n = read(fd, text + len, LIMIT_AUTH_FILE_BYTES + 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    int rc = !text ? -ENOMEM : n < 0 ? -errno : len > LIMIT_AUTH_FILE_BYTES ? -EFBIG : 0;
    if (rc < 0) {
        free(text);
        return rc;
    }
    *out = text;
    *out_len = len;
    return 0;
}

static int read_open(const char *name, int fd, struct passwords **out, char *why, size_t why_size)
{
    char *text = NULL, wrong[200];
    size_t len = 0;
    unsigned line = 0;
    int rc = password_file_text(fd, &text, &len);
    if (rc == 0)
        rc = passwords_read(text, len, out, &line, wrong, sizeof(wrong));
    if (text)
        explicit_bzero(text, len);
    free(text);
    if (line > 0)
        snprintf(why, why_size, "%s:%u: %s", name, line, wrong);
    else if (rc < 0)
        snprintf(why, why_size, "cannot read the passwords in %s: %s", name, strerror(-rc));
    return rc;
}

/* What was looked at is kept in *out_at, whether it is good or not. O_NONBLOCK: a named pipe does not hold us up. */
static int read_file(const char *name, struct stat *out_at, struct passwords **out, char *why,
                     size_t why_size)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int rc = fd < 0 || fstat(fd, out_at) < 0 ? -errno : 0;
    if (rc == 0 && !S_ISREG(out_at->st_mode))
        rc = S_ISDIR(out_at->st_mode) ? -EISDIR : -EINVAL;
    if (rc < 0)
        snprintf(why, why_size, "cannot read the passwords in %s: %s", name, strerror(-rc));
    else
        rc = read_open(name, fd, out, why, why_size);
    if (fd >= 0)
        close(fd);
    return rc;
}

static void note(struct password_file *file, const struct stat *at)
{
    file->changed = at->st_mtim;
    file->size = at->st_size;
    file->inode = at->st_ino;
    file->mode = at->st_mode;
}

static bool is_same(const struct password_file *file, const struct stat *at)
{
    return file->inode == at->st_ino && file->size == at->st_size &&
           file->changed.tv_sec == at->st_mtim.tv_sec &&
           file->changed.tv_nsec == at->st_mtim.tv_nsec;
}

int password_file_open(struct password_file *file, const char *name, char *why, size_t why_size)
{
    struct stat at = {0};
    *file = (struct password_file){.name = name};
    pthread_mutex_init(&file->lock, NULL);
    int rc = read_file(name, &at, &file->now, why, why_size);
    if (rc < 0)
        return rc;
    note(file, &at);
    void *memory =
        mmap(NULL, sizeof(*file->told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        password_file_close(file);
        return -ENOMEM;
    }
    file->told = memory;
    return 0;
}

void password_file_close(struct password_file *file)
{
    if (!file->name)
        return;
    passwords_drop(file->now);
    file->now = NULL;
    if (file->told)
        munmap((void *)file->told, sizeof(*file->told));
    file->told = NULL;
    pthread_mutex_destroy(&file->lock);
    file->name = NULL;
}

/* Each process looks for itself; one of them says so. A file that is gone has no time. */
static bool is_news(struct password_file *file)
{
    uint64_t which = (uint64_t)file->changed.tv_sec * WEIR_NS_PER_S +
                     (uint64_t)file->changed.tv_nsec + ((uint64_t)file->size << 1) + 1;
    return atomic_exchange(file->told, which) != which;
}

/* With the lock. */
static void look(struct password_file *file, struct password_news *out)
{
    struct stat at = {0};
    struct passwords *fresh;
    if (stat(file->name, &at) == 0 && is_same(file, &at))
        return;
    bool was_gone = file->inode == 0 && file->size == 0;
    int rc = read_file(file->name, &at, &fresh, out->text, sizeof(out->text));
    if (rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE || rc == -EINTR)
        return; /* no word about the file: it is looked at again */
    note(file, &at);
    if (rc < 0) {
        bool gone = at.st_ino == 0;
        out->news = !(gone && was_gone) && is_news(file);
        return;
    }
    atomic_store(file->told, 0);
    passwords_drop(file->now);
    file->now = fresh;
}

struct passwords *password_file_get(struct password_file *file, uint64_t now_ns,
                                    struct password_news *out)
{
    out->news = false;
    pthread_mutex_lock(&file->lock);
    if (now_ns >= atomic_load_explicit(&file->next_ns, memory_order_relaxed)) {
        atomic_store_explicit(&file->next_ns, now_ns + LIMIT_AUTH_LOOK_MS * WEIR_NS_PER_MS,
                              memory_order_relaxed);
        look(file, out);
    }
    struct passwords *now = file->now;
    atomic_fetch_add(&now->holds, 1);
    pthread_mutex_unlock(&file->lock);
    return now;
}
