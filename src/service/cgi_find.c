#include "service/cgi_find.h"

#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The file itself is not opened: what may be executed need not be readable. Tried again while a rename is under way, when the
 * kernel cannot tell whether ".." stays inside. */
static int look_beneath(int folder, const char *name, struct stat *out)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    for (unsigned i = 0;; i++) {
        long fd = syscall(SYS_openat2, folder, name, &how, sizeof(how));
        if (fd >= 0 && fstat((int)fd, out) == 0)
            return (int)fd;
        int error = errno;
        if (fd >= 0)
            close((int)fd);
        if (fd >= 0 || (error != EINTR && (error != EAGAIN || i >= LIMIT_FILE_RACE_TRIES)))
            return -error;
    }
}

/* What leads nowhere is not found; want of memory or descriptors is another matter. */
static int not_found(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EACCES ? error
                                                                                        : -ENOENT;
}

/* One step: 1: a folder, which becomes out->folder; 0: the program; -errno. */
static int step(const struct cgi *cgi, const char *name, struct program *program)
{
    struct stat st;
    int fd = look_beneath(cgi->folder, name, &st);
    if (fd < 0)
        return not_found(fd);
    if (S_ISDIR(st.st_mode)) {
        close(program->folder);
        program->folder = fd;
        return 1;
    }
    close(fd);
    if (!S_ISREG(st.st_mode))
        return -ENOENT;
    return st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) ? 0 : -EACCES;
}

static int walk(const struct cgi *cgi, struct weir_bytes path, struct program *program)
{
    char name[LIMIT_FILE_PATH_BYTES + 1];
    size_t begin = cgi->prefix.len + 1, at = begin;
    for (unsigned i = 0; i < LIMIT_CGI_SEGMENTS && at < path.len; i++) {
        const char *slash = memchr(path.at + at, '/', path.len - at);
        size_t end = slash ? (size_t)(slash - path.at) : path.len;
        if (end == at || end - begin >= sizeof(name))
            return -ENOENT;
        memcpy(name, path.at + begin, end - begin);
        name[end - begin] = '\0';
        program->name_at = at;
        program->name_end = end;
        int rc = step(cgi, name, program);
        if (rc <= 0)
            return rc;
        at = end + 1;
    }
    return -ENOENT; /* a folder: there is no index */
}

int cgi_find(const struct cgi *cgi, struct weir_bytes path, struct program *out)
{
    struct program program = {.folder = fcntl(cgi->folder, F_DUPFD_CLOEXEC, 3)};
    if (program.folder < 0)
        return -errno;
    int rc = walk(cgi, path, &program);
    if (rc < 0)
        close(program.folder);
    else
        *out = program;
    return rc;
}
