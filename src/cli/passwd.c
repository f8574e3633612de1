/* weir passwd: a file of names and passwords for `auth`. */
#include "base/bytes.h"
#include "cli/commands.h"
#include "service/credentials.h"
#include "service/password.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct passwd_values {
    bool bcrypt, standard, remove, verify;
};

static const struct option_row rows[] = {
    {.name = "bcrypt",
     .kind = OPTION_FLAG,
     .help = "hash with bcrypt, for other programs that read the file (default: yescrypt)",
     .offset = offsetof(struct passwd_values, bcrypt)},
    {.name = "stdin",
     .kind = OPTION_FLAG,
     .help = "read the password from standard input, one line",
     .offset = offsetof(struct passwd_values, standard)},
    {.name = "delete",
     .letter = 'D',
     .kind = OPTION_FLAG,
     .help = "remove the user",
     .offset = offsetof(struct passwd_values, remove)},
    {.name = "verify",
     .kind = OPTION_FLAG,
     .help = "change nothing; exit 0 if the password is the user's, else 1",
     .offset = offsetof(struct passwd_values, verify)},
};

struct change {
    const char *file, *user;
    char password[LIMIT_AUTH_PASSWORD + 2];
    char *text; /* of the file; "" for one that is not there */
    size_t len;
    bool made; /* there was none */
    struct stat at;
    struct passwords *passwords;
};

/* --- the password --- */

/* One line, without its end. */
static int read_line(int fd, char password[LIMIT_AUTH_PASSWORD + 2])
{
    size_t len = 0;
    for (;;) {
        char c;
        ssize_t n = read(fd, &c, 1);
        if (n < 0)
            return -errno;
        if (n == 0 || c == '\n')
            break;
        if (len > LIMIT_AUTH_PASSWORD)
            return -EMSGSIZE;
        password[len++] = c;
    }
    len -= len > 0 && password[len - 1] == '\r';
    password[len] = '\0';
    return len > LIMIT_AUTH_PASSWORD ? -EMSGSIZE : memchr(password, '\0', len) ? -EILSEQ : 0;
}

static int ask(int terminal, const char *question, char password[LIMIT_AUTH_PASSWORD + 2])
{
    struct termios before, quiet;
    if (tcgetattr(terminal, &before) < 0)
        return -errno;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(terminal, TCSAFLUSH, &quiet) < 0)
        return -errno;
    (void)!write(terminal, question, strlen(question));
    int rc = read_line(terminal, password);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    (void)!write(terminal, "\n", 1);
    return rc;
}

static int ask_terminal(struct change *change, bool twice)
{
    char again[LIMIT_AUTH_PASSWORD + 2] = "", question[LIMIT_AUTH_NAME + 40];
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0)
        return usage_error(&command_passwd, "there is no terminal to ask at: say --stdin");
    snprintf(question, sizeof(question), "Password of %s: ", change->user);
    int rc = ask(terminal, question, change->password);
    if (rc == 0 && twice)
        rc = ask(terminal, "The same again: ", again);
    close(terminal);
    bool same = !twice || strcmp(change->password, again) == 0;
    explicit_bzero(again, sizeof(again));
    if (rc < 0)
        complain(&command_passwd, "cannot read the password: %s", strerror(-rc));
    else if (!same)
        complain(&command_passwd, "these were two different passwords: nothing was changed");
    return rc < 0 || !same ? 1 : 0;
}

static int get_password(struct change *change, const struct passwd_values *values)
{
    if (!values->standard)
        return ask_terminal(change, !values->verify);
    int rc = read_line(STDIN_FILENO, change->password);
    if (rc == 0)
        return 0;
    complain(&command_passwd, "cannot read the password: %s",
             rc == -EMSGSIZE ? "it has more than 255 bytes" : strerror(-rc));
    return 1;
}

static int check_password(const struct change *change)
{
    const char *at = change->password;
    if (!*at) {
        complain(&command_passwd, "an empty password keeps nobody out");
        return 1;
    }
    for (; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            complain(&command_passwd,
                     "a password with control characters cannot be sent (RFC 7617)");
            return 1;
        }
    return 0;
}

static bool make_hash(const struct change *change, bool bcrypt, char hash[PASSWORD_HASH_MAX])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = calloc(1, sizeof(*data));
    bool made = false;
    if (data && crypt_gensalt_rn(bcrypt ? "$2b$" : "$y$", bcrypt ? 10 : 0, NULL, 0, setting,
                                 sizeof(setting))) {
        const char *text = crypt_rn(change->password, setting, data, sizeof(*data));
        made = text && text[0] != '*' && strlen(text) < PASSWORD_HASH_MAX;
        if (made)
            memcpy(hash, text, strlen(text) + 1);
    }
    if (data)
        explicit_bzero(data, sizeof(*data));
    free(data);
    return made;
}

/* --- the file --- */

static int read_whole(int fd, char **out, size_t *out_len)
{
    char *text = malloc(LIMIT_AUTH_FILE_BYTES + 1);
    size_t len = 0;
    ssize_t n = text ? 1 : -1;
    while (n > 0 && len <= LIMIT_AUTH_FILE_BYTES) {
        n = read(fd, text + len, LIMIT_AUTH_FILE_BYTES + 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    *out = text;
    *out_len = len;
    return !text ? -ENOMEM : n < 0 ? -errno : len > LIMIT_AUTH_FILE_BYTES ? -EFBIG : 0;
}

static int read_file(struct change *change, bool must_be)
{
    char why[300];
    unsigned line;
    int fd = open(change->file, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? -errno : fstat(fd, &change->at) < 0 ? -errno : 0;
    if (rc == -ENOENT && !must_be) {
        change->made = true;
        change->at.st_mode = 0600;
        change->text = strdup("");
        rc = change->text ? 0 : -ENOMEM;
    } else if (rc == 0) {
        rc = read_whole(fd, &change->text, &change->len);
    }
    if (fd >= 0)
        close(fd);
    if (rc < 0) {
        complain(&command_passwd, "cannot read %s: %s", change->file, strerror(-rc));
        return 1;
    }
    rc = passwords_read(change->text, change->len, &change->passwords, &line, why, sizeof(why));
    if (rc == -EINVAL)
        complain(&command_passwd, "%s:%u: %s", change->file, line, why);
    else if (rc < 0)
        complain(&command_passwd, "%s", strerror(-rc));
    return rc < 0 ? 1 : 0;
}

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
static int write_lines(const struct change *change, int fd, const char *hash)
{
    char line[LIMIT_AUTH_NAME + PASSWORD_HASH_MAX + 4];
    int len = hash ? snprintf(line, sizeof(line), "%s:%s\n", change->user, hash) : 0;
    struct weir_bytes user = bytes_str(change->user);
    int rc = 0;
    for (const char *at = change->text, *end = at + change->len; at < end && rc == 0;) {
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

/* Beside the file, so that renaming it over the old one is one step: readers see one or the other. */
static int replace(const struct change *change, const char *hash)
{
    char name[4096];
    if (snprintf(name, sizeof(name), "%s.XXXXXX", change->file) >= (int)sizeof(name))
        return -ENAMETOOLONG;
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = write_lines(change, fd, hash);
    if (rc == 0 && !change->made && fchown(fd, change->at.st_uid, change->at.st_gid) < 0 &&
        change->at.st_uid != geteuid())
        rc = -errno;
    if (rc == 0 && (fchmod(fd, change->at.st_mode & 07777) < 0 || fsync(fd) < 0))
        rc = -errno;
    close(fd);
    if (rc == 0 && rename(name, change->file) < 0)
        rc = -errno;
    if (rc < 0)
        unlink(name);
    return rc;
}

static int write_file(const struct change *change, const char *hash)
{
    int rc = replace(change, hash);
    if (rc == 0)
        return 0;
    complain(&command_passwd, "cannot write %s: %s (a new file is made beside it)", change->file,
             strerror(-rc));
    return 1;
}

/* --- what is asked for --- */

static int set_password(struct change *change, const struct passwd_values *values)
{
    char hash[PASSWORD_HASH_MAX];
    int status = get_password(change, values);
    if (status == 0)
        status = check_password(change);
    if (status != 0)
        return status;
    if (values->bcrypt && strlen(change->password) > 72)
        return usage_error(&command_passwd,
                           "bcrypt looks at 72 bytes only: take a shorter password, or yescrypt");
    if (!make_hash(change, values->bcrypt, hash)) {
        complain(&command_passwd, "cannot make a hash: %s", strerror(errno));
        return 1;
    }
    return write_file(change, hash);
}

static int verify(struct change *change, const struct passwd_values *values)
{
    const struct password_entry *entry = passwords_find(change->passwords, bytes_str(change->user));
    int status = get_password(change, values);
    if (status != 0)
        return status;
    if (!entry)
        complain(&command_passwd, "%s has no user '%s'", change->file, change->user);
    else if (!password_matches(change->password, entry->hash))
        complain(&command_passwd, "that is not the password of '%s'", change->user);
    else
        return 0;
    return 1;
}

static int run_change(struct change *change, const struct passwd_values *values)
{
    int status = read_file(change, values->remove || values->verify);
    if (status != 0)
        return status;
    if (values->verify)
        return verify(change, values);
    if (!values->remove)
        return set_password(change, values);
    if (!passwords_find(change->passwords, bytes_str(change->user))) {
        complain(&command_passwd, "%s has no user '%s'", change->file, change->user);
        return 1;
    }
    return write_file(change, NULL);
}

static int run(void *arg, int argc, char **argv)
{
    const struct passwd_values *values = arg;
    if (argc != 2)
        return usage_error(&command_passwd, "say a file and a user, as weir passwd users alice");
    if (values->remove && (values->verify || values->standard || values->bcrypt))
        return usage_error(&command_passwd, "--delete goes with nothing else");
    struct change change = {.file = argv[0], .user = argv[1]};
    if (!password_user_valid(bytes_str(change.user)) || change.user[0] == '#')
        return usage_error(&command_passwd,
                           "a name has 1 to 255 bytes, no colon, no control characters, and no # "
                           "in front");
    int status = run_change(&change, values);
    passwords_drop(change.passwords);
    explicit_bzero(change.password, sizeof(change.password));
    free(change.text);
    return status;
}

const struct command command_passwd = {
    .name = "passwd",
    .synopsis = "FILE USER [options]",
    .summary = "names and passwords for `weir serve --auth FILE`",
    .examples = "weir passwd users alice\n"
                "printf '%s\\n' \"$SECRET\" | weir passwd users alice --stdin\n"
                "weir passwd users alice --delete\n"
                "weir serve /srv/site --auth users",
    .exits = "0  done; of --verify: it is the password\n"
             "1  the file cannot be read or written, or it is not the password\n"
             "2  wrong usage",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(rows[0]),
    .values_size = sizeof(struct passwd_values),
    .run = run,
};
