#include "cli/passwd_file.h"

#include "base/bytes.h"
#include "cli/commands.h"
#include "cli/lock.h"
#include "service/password_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as many as the kernel follows: path_resolution(7) */

static int cannot(const char *what, const struct passwd_file *file, int error)
{
    complain(&command_passwd, "cannot %s %s: %s", what, file->name, strerror(error));
    return 1;
}

static int cannot_write(const struct passwd_file *file, int error)
{
    complain(&command_passwd, "cannot write %s: %s (a new file is made beside it)", file->name,
             strerror(error));
    return 1;
}

/* --- reading --- */

static int parse(struct passwd_file *file)
{
    char why[300];
    unsigned line;
    int rc = passwords_read(file->text, file->len, &file->passwords, &line, why, sizeof(why));
    if (rc == -EINVAL)
        complain(&command_passwd, "%s:%u: %s", file->name, line, why);
    else if (rc < 0)
        complain(&command_passwd, "%s", strerror(-rc));
    return rc < 0 ? 1 : 0;
}

int passwd_file_read(struct passwd_file *file, const char *name)
{
    *file = (struct passwd_file){.name = name, .folder = -1};
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? -errno : password_file_text(fd, &file->text, &file->len);
    if (fd >= 0)
        close(fd);
    return rc < 0 ? cannot("read", file, -rc) : parse(file);
}

/* --- opening --- */

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash + 1 - path) : 0;
}

/* Where `name` leads to, through links, there or not yet. The kernel follows them first: it knows which it must not trust
 * (protected_symlinks in proc(5)), and how many are too many. */
static int follow(const char *name, char path[PATH_MAX])
{
    char to[PATH_MAX];
    struct stat st;
    if (stat(name, &st) < 0 && errno != ENOENT)
        return -errno;
    if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
        return -ENAMETOOLONG;
    for (int links = 0; links < LINKS_MAX; links++) {
        ssize_t n = readlink(path, to, sizeof(to) - 1);
        if (n < 0)
            return errno == EINVAL || errno == ENOENT ? 0 : -errno;
        to[n] = '\0';
        size_t keep = to[0] == '/' ? 0 : folder_len(path);
        if (snprintf(path + keep, PATH_MAX - keep, "%s", to) >= (int)(PATH_MAX - keep))
            return -ENAMETOOLONG;
    }
    return -ELOOP;
}

static int open_folder(struct passwd_file *file)
{
    int rc = follow(file->name, file->path);
    if (rc < 0)
        return cannot("read", file, -rc);
    size_t len = folder_len(file->path);
    char after = file->path[len];
    file->base = file->path + len;
    file->path[len] = '\0';
    file->folder = open(len > 0 ? file->path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    file->path[len] = after;
    if (file->folder < 0 || faccessat(file->folder, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return cannot_write(file, errno);
    return 0;
}

static int lock_folder(const struct passwd_file *file)
{
    int rc = lock_wait(file->folder, LIMIT_AUTH_LOCK_MS);
    if (rc == 0)
        return 0;
    if (rc != -EWOULDBLOCK)
        return cannot("lock the folder of", file, -rc);
    complain(&command_passwd,
             "another program holds the lock on the folder of %s: nothing was changed; try again "
             "when it is done (lslocks lists them)",
             file->name);
    return 1;
}

/* What is no file is not replaced by one: /dev/null, say. O_NONBLOCK: a named pipe does not hold us up. */
static int read_regular(struct passwd_file *file, int fd)
{
    if (fstat(fd, &file->at) < 0)
        return -errno;
    if (!S_ISREG(file->at.st_mode))
        return S_ISDIR(file->at.st_mode) ? -EISDIR : -EINVAL;
    return password_file_text(fd, &file->text, &file->len);
}

static int read_there(struct passwd_file *file)
{
    int fd =
        openat(file->folder, file->base, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd >= 0) {
        int rc = read_regular(file, fd);
        close(fd);
        return rc;
    }
    if (errno != ENOENT || !*file->base)
        return -errno;
    file->made = true;
    file->at.st_mode = 0600;
    file->text = strdup("");
    return file->text ? 0 : -ENOMEM;
}

int passwd_file_open(struct passwd_file *file, const char *name, bool locked)
{
    *file = (struct passwd_file){.name = name, .folder = -1};
    int status = open_folder(file);
    if (status == 0 && locked)
        status = lock_folder(file);
    if (status != 0)
        return status;
    int rc = read_there(file);
    return rc < 0 ? cannot("read", file, -rc) : parse(file);
}

void passwd_file_close(struct passwd_file *file)
{
    if (file->folder >= 0)
        close(file->folder);
    passwords_drop(file->passwords);
    free(file->text);
    *file = (struct passwd_file){.folder = -1};
}

/* --- writing --- */

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0)
            return -errno;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* All lines but the user's, in their order; `hash` in place of his, or at the end. */
static int write_lines(const struct passwd_file *file, int fd, const char *name, const char *hash)
{
    char line[LIMIT_AUTH_NAME + PASSWORD_HASH_MAX + 4];
    int len = hash ? snprintf(line, sizeof(line), "%s:%s\n", name, hash) : 0;
    struct weir_bytes user = bytes_str(name);
    int rc = 0;
    for (const char *at = file->text, *end = at + file->len; at < end && rc == 0;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = stop ? (size_t)(stop - at) : (size_t)(end - at);
        struct weir_bytes said = {at, n};
        bool his = bytes_starts(said, user) && n > user.len && at[user.len] == ':';
        rc = his ? write_all(fd, line, (size_t)len) : write_all(fd, at, n);
        if (rc == 0 && !his)
            rc = write_all(fd, "\n", 1);
        len = his ? 0 : len;
        at += stop ? n + 1 : n;
    }
    return rc < 0 ? rc : write_all(fd, line, (size_t)len);
}

static int write_new(const struct passwd_file *file, int fd, const char *user, const char *hash)
{
    int rc = write_lines(file, fd, user, hash);
    if (rc == 0 && !file->made && fchown(fd, file->at.st_uid, file->at.st_gid) < 0 &&
        file->at.st_uid != geteuid())
        rc = -errno;
    if (rc == 0 && (fchmod(fd, file->at.st_mode & 07777) < 0 || fsync(fd) < 0))
        rc = -errno;
    return rc;
}

/* Beside the file, so that renaming it over the old one is one step: readers see one or the other. */
static int replace(const struct passwd_file *file, const char *user, const char *hash)
{
    char name[NAME_MAX + 1];
    unsigned long long number;
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return -EIO;
    if (snprintf(name, sizeof(name), "%s.%016llx", file->base, number) >= (int)sizeof(name))
        return -ENAMETOOLONG;
    int fd = openat(file->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int rc = write_new(file, fd, user, hash);
    close(fd);
    if (rc == 0 && renameat(file->folder, name, file->folder, file->base) < 0)
        rc = -errno;
    if (rc < 0)
        unlinkat(file->folder, name, 0);
    return rc;
}

int passwd_file_set(const struct passwd_file *file, const char *user, const char *hash)
{
    int rc = replace(file, user, hash);
    return rc < 0 ? cannot_write(file, -rc) : 0;
}
