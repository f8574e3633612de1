#include "cli/tls_dev.h"

#include "cli/lock.h"
#include "tbl/limits.h"
#include "tls/authority.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define AUTHORITY_FILE                                                                             \
    "authority-key.pem" /* key and certificate in one: never one without the other */
#define PUBLIC_FILE "authority.pem"
#define CERT_FILE   "localhost.pem"
#define LOCK_FILE   "lock"

/* What is under way; the folder is locked meanwhile, so that two servers that start at once do not each make an authority. */
struct keeper {
    const struct command *command;
    struct tls_dev *dev;
    bool quiet;
    int folder, lock; /* descriptors */
    int64_t now_s;
    const char *host; /* NULL: none */
    char host_room[65];
};

static int cannot(const struct keeper *k, const char *what, const char *file, int error)
{
    complain(k->command, "--tls-dev: cannot %s %s%s%s: %s", what, k->dev->folder,
             file[0] ? "/" : "", file, strerrordesc_np(error));
    return 1;
}

/* --- files --- */

/* Texts that are longer are none of ours. An absent file is an empty one. */
static int read_file(const struct keeper *k, const char *name, struct pem *out)
{
    struct stat st;
    *out = (struct pem){NULL, 0};
    int fd = openat(k->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : cannot(k, "read", name, errno);
    char *at = malloc(LIMIT_AUTHORITY_BYTES + 1);
    ssize_t n =
        at && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, at, LIMIT_AUTHORITY_BYTES) : -1;
    close(fd);
    if (n < 0) {
        free(at);
        return cannot(k, "read", name, at ? errno : ENOMEM);
    }
    at[n] = '\0';
    *out = (struct pem){at, (size_t)n};
    return 0;
}

static int write_all(int fd, const struct pem *pem)
{
    for (size_t done = 0; done < pem->len;) {
        ssize_t n = write(fd, pem->at + done, pem->len - done);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* Whole or not at all: a new file takes the place of the old one. */
static int write_file(const struct keeper *k, const char *name, mode_t mode, const struct pem *pem)
{
    char temporary[64];
    snprintf(temporary, sizeof(temporary), "%s.new", name);
    (void)unlinkat(k->folder, temporary, 0); /* left by one that was killed */
    int fd =
        openat(k->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return cannot(k, "make", name, errno);
    int rc = write_all(fd, pem);
    close(fd);
    if (rc == 0 && renameat(k->folder, temporary, k->folder, name) < 0)
        rc = -errno;
    if (rc == 0)
        return 0;
    (void)unlinkat(k->folder, temporary, 0);
    return cannot(k, "write", name, -rc);
}

/* --- the folder --- */

/* "$XDG_DATA_HOME", or "~/.local/share"; an entry that is no absolute path does not count (XDG base directory specification). */
static int find_base(const struct command *command, char *base, size_t size)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    const struct passwd *user = home && home[0] == '/' ? NULL : getpwuid(geteuid());
    if (data && data[0] == '/')
        return snprintf(base, size, "%s", data) < (int)size ? 0 : 1;
    home = home && home[0] == '/' ? home : user ? user->pw_dir : NULL;
    if (home && home[0] == '/' && snprintf(base, size, "%s/.local/share", home) < (int)size)
        return 0;
    complain(command,
             "--tls-dev: there is no place for a local authority: set HOME or XDG_DATA_HOME "
             "to a folder of yours");
    return 1;
}

/* Those above it, too, for their owner alone (likewise). */
static int make_folders(char *path)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char after = *at;
        *at = '\0';
        int rc = mkdir(path, 0700) < 0 && errno != EEXIST && errno != EROFS ? -errno : 0;
        *at = after;
        if (rc < 0 || after == '\0')
            return rc;
    }
}

/* Nobody else may look into it, or put a key of his own there. */
static int claim_folder(struct keeper *k)
{
    struct stat st;
    int rc = make_folders(k->dev->folder);
    if (rc < 0)
        return cannot(k, "make", "", -rc);
    k->folder = open(k->dev->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->folder < 0 || fstat(k->folder, &st) < 0)
        return cannot(k, "use", "", errno);
    if (st.st_uid != geteuid())
        return cannot(k, "use", "", EPERM);
    if ((st.st_mode & 077) && fchmod(k->folder, 0700) < 0)
        return cannot(k, "keep others out of", "", errno);
    return 0;
}

static int lock_folder(struct keeper *k)
{
    k->lock = openat(k->folder, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (k->lock < 0)
        return cannot(k, "write in", "", errno);
    int rc = lock_wait(k->lock, LIMIT_AUTHORITY_LOCK_MS);
    if (rc == 0)
        return 0;
    if (rc != -EWOULDBLOCK)
        return cannot(k, "lock", LOCK_FILE, -rc);
    complain(k->command, "--tls-dev: another program holds %s/%s: stop it, or remove that file",
             k->dev->folder, LOCK_FILE);
    return 1;
}

/* --- what is kept there --- */

/* The machine's name, where a certificate can hold it. */
static void find_host(struct keeper *k)
{
    char *at = k->host_room;
    if (gethostname(at, sizeof(k->host_room) - 1) < 0)
        return;
    size_t len = strlen(at);
    bool letter = false;
    for (size_t i = 0; i < len; i++) {
        at[i] = (char)tolower((unsigned char)at[i]);
        letter |= isalpha((unsigned char)at[i]) != 0;
        if (!isalnum((unsigned char)at[i]) && at[i] != '-' && at[i] != '.')
            return;
    }
    if (letter && len < 64 && at[0] != '-' && at[0] != '.' && at[len - 1] != '.' &&
        strcmp(at, "localhost") != 0)
        k->host = at;
}

static int made(const struct keeper *k, int rc)
{
    if (rc == 0)
        return 0;
    complain(k->command, "--tls-dev: cannot make a certificate: %s", strerrordesc_np(-rc));
    return 1;
}

static int make_authority(const struct keeper *k, struct pem *authority)
{
    char name[128];
    bool before = authority->at != NULL;
    pem_free(authority);
    snprintf(name, sizeof(name), "weir local authority of %s", k->host ? k->host : "this machine");
    int status = made(k, authority_make(name, k->host, k->now_s, authority));
    if (status == 0)
        status = write_file(k, AUTHORITY_FILE, 0600, authority);
    if (status == 0 && !k->quiet)
        fprintf(
            stderr, "weir: a new local authority in %s%s\n", k->dev->folder,
            before
                ? "; the one before could not be used any more, and trusting it means nothing now"
                : "");
    return status;
}

static int keep_public(const struct keeper *k, const struct pem *authority)
{
    struct pem is, should;
    int status = made(k, authority_public(authority, &should));
    if (status != 0)
        return status;
    status = read_file(k, PUBLIC_FILE, &is);
    if (status == 0 && !(is.len == should.len && memcmp(is.at, should.at, is.len) == 0))
        status = write_file(k, PUBLIC_FILE, 0644, &should);
    pem_free(&is);
    pem_free(&should);
    return status;
}

static int keep_cert(const struct keeper *k, const struct pem *authority)
{
    struct pem cert;
    int status = read_file(k, CERT_FILE, &cert);
    if (status != 0 ||
        authority_knows(authority, &cert, k->host, k->now_s, k->now_s + LIMIT_AUTHORITY_RENEW_S)) {
        pem_free(&cert);
        return status;
    }
    pem_free(&cert);
    status = made(
        k, authority_sign(authority, k->host, k->now_s, k->now_s + LIMIT_AUTHORITY_CERT_S, &cert));
    if (status == 0)
        status = write_file(k, CERT_FILE, 0600, &cert);
    pem_free(&cert);
    return status;
}

static int keep_all(const struct keeper *k, struct pem *out)
{
    struct pem authority;
    int status = read_file(k, AUTHORITY_FILE, &authority);
    if (status == 0 && !authority_can_sign(&authority, k->now_s + LIMIT_AUTHORITY_CERT_S))
        status = make_authority(k, &authority);
    if (status == 0)
        status = keep_public(k, &authority);
    if (status == 0)
        status = keep_cert(k, &authority);
    *out = authority;
    return status;
}

int tls_dev_open(const struct command *command, bool quiet, struct tls_dev *dev)
{
    struct keeper k = {.command = command,
                       .dev = dev,
                       .quiet = quiet,
                       .folder = -1,
                       .lock = -1,
                       .now_s = time(NULL)};
    struct pem authority = {NULL, 0};
    char base[PATH_MAX - 16];
    if (find_base(command, base, sizeof(base)) != 0)
        return 1;
    snprintf(dev->folder, sizeof(dev->folder), "%s/weir", base);
    snprintf(dev->authority, sizeof(dev->authority), "%s/" PUBLIC_FILE, dev->folder);
    snprintf(dev->cert, sizeof(dev->cert), "%s/" CERT_FILE, dev->folder);
    find_host(&k);
    int status = claim_folder(&k);
    if (status == 0)
        status = lock_folder(&k);
    if (status == 0)
        status = keep_all(&k, &authority);
    if (k.lock >= 0)
        close(k.lock);
    dev->trusted = status == 0 && authority_is_trusted(&authority);
    pem_free(&authority);
    if (k.folder >= 0)
        close(k.folder);
    return status;
}

void tls_dev_renew(const struct command *command, const struct tls_dev *dev, int stop)
{
    char key[PATH_MAX + 32];
    struct pollfd wait = {.fd = stop, .events = POLLIN};
    snprintf(key, sizeof(key), "%s/" AUTHORITY_FILE, dev->folder);
    for (;;) {
        int rc = poll(&wait, 1, LIMIT_AUTHORITY_LOOK_MS);
        if (rc > 0 || (rc < 0 && errno != EINTR))
            return;
        struct tls_dev again;
        if (rc == 0 && access(key, F_OK) == 0)
            (void)tls_dev_open(command, true, &again);
    }
}
