/* weir passwd: a file of names and passwords for `auth`. */
#include "base/bytes.h"
#include "cli/commands.h"
#include "cli/passwd_ask.h"
#include "cli/passwd_file.h"
#include "service/credentials.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    const char *name, *user;
    char password[PASSWORD_ROOM];
    struct passwd_file file;
};

/* --- the password --- */

static int ask_terminal(struct change *change, bool twice)
{
    char again[PASSWORD_ROOM] = "", question[LIMIT_AUTH_NAME + 40];
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0)
        return usage_error(&command_passwd, "there is no terminal to ask at: say --stdin");
    snprintf(question, sizeof(question), "Password of %s: ", change->user);
    int rc = password_ask(terminal, question, change->password);
    if (rc == 0 && twice)
        rc = password_ask(terminal, "The same again: ", again);
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
    int rc = password_read(STDIN_FILENO, change->password);
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

/* --- what is asked for --- */

/* The file is looked at before the password is asked for, so that what is wrong with it is told at once, and again when it is known:
 * others may have changed it meanwhile. */
static int set_password(struct change *change, const struct passwd_values *values)
{
    char hash[PASSWORD_HASH_MAX];
    int status = passwd_file_open(&change->file, change->name, false);
    passwd_file_close(&change->file);
    if (status == 0)
        status = get_password(change, values);
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
    status = passwd_file_open(&change->file, change->name, true);
    return status != 0 ? status : passwd_file_set(&change->file, change->user, hash);
}

static int no_such_user(const struct change *change)
{
    complain(&command_passwd, "%s has no user '%s'", change->name, change->user);
    return 1;
}

static const struct password_entry *find_user(const struct change *change)
{
    return passwords_find(change->file.passwords, bytes_str(change->user));
}

static int verify(struct change *change, const struct passwd_values *values)
{
    int status = passwd_file_read(&change->file, change->name);
    if (status == 0)
        status = get_password(change, values);
    if (status != 0)
        return status;
    const struct password_entry *entry = find_user(change);
    if (!entry)
        return no_such_user(change);
    if (password_matches(change->password, entry->hash))
        return 0;
    complain(&command_passwd, "that is not the password of '%s'", change->user);
    return 1;
}

static int delete_user(struct change *change)
{
    int status = passwd_file_read(&change->file, change->name);
    if (status == 0 && !find_user(change))
        status = no_such_user(change);
    passwd_file_close(&change->file);
    if (status == 0)
        status = passwd_file_open(&change->file, change->name, true);
    if (status != 0)
        return status;
    if (!find_user(change))
        return no_such_user(change);
    return passwd_file_set(&change->file, change->user, NULL);
}

static int run_change(struct change *change, const struct passwd_values *values)
{
    if (values->verify)
        return verify(change, values);
    return values->remove ? delete_user(change) : set_password(change, values);
}

static int run(void *arg, int argc, char **argv)
{
    const struct passwd_values *values = arg;
    if (argc != 2)
        return usage_error(&command_passwd, "say a file and a user, as weir passwd users alice");
    if (values->remove && (values->verify || values->standard || values->bcrypt))
        return usage_error(&command_passwd, "--delete goes with nothing else");
    struct change change = {.name = argv[0], .user = argv[1], .file.folder = -1};
    if (!password_user_valid(bytes_str(change.user)) || change.user[0] == '#')
        return usage_error(&command_passwd,
                           "a name has 1 to 255 bytes, no colon, no control characters, and no # "
                           "in front");
    int status = run_change(&change, values);
    passwd_file_close(&change.file);
    explicit_bzero(change.password, sizeof(change.password));
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
