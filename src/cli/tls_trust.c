/* Having the local authority trusted: by the system, where this user may, and by the user's browsers (NSS databases). */
#include "cli/tls_dev.h"
#include "tbl/limits.h"

#include <weir/process.h>
#include <weir/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NICKNAME      "weir local authority"
#define SYSTEM_FOLDER "/usr/local/share/ca-certificates"
#define SYSTEM_FILE   SYSTEM_FOLDER "/weir-local-authority.crt"
#define UPDATE        "/usr/sbin/update-ca-certificates"

void tls_dev_explain(const struct tls_dev *dev)
{
    fprintf(
        stderr,
        "weir: its local authority has to be trusted once: weir serve --tls-dev --trust does it, or by hand\n"
        "  Debian     sudo cp %s " SYSTEM_FILE " && sudo update-ca-certificates\n"
        "  Chromium   certutil -A -d sql:$HOME/.pki/nssdb -n '" NICKNAME "' -t C,, -i %s\n"
        "  Firefox    the same with the folder of its profile, sql:$HOME/.mozilla/firefox/*.default*\n"
        "  curl       curl --cacert %s https://localhost:8443/\n"
        "  others     SSL_CERT_FILE=%s\n",
        dev->authority, dev->authority, dev->authority, dev->authority);
}

/* Its output is not of interest; it must not ask anybody anything. 0: it went well. */
static int run(const char *const *argv)
{
    const struct weir_fd_map nothing[] = {{-1, 0}, {-1, 1}, {-1, 2}};
    const struct weir_process_options options = {.map = nothing, .map_count = 3};
    struct weir_process *process;
    int rc = weir_process_start(argv, &options, &process);
    if (rc < 0)
        return rc;
    rc = weir_process_wait(process, LIMIT_AUTHORITY_TRUST_MS);
    weir_process_free(process);
    return rc;
}

/* --- the system --- */

static int copy_file(const char *from, const char *to)
{
    struct weir_stream *in, *out;
    char name[PATH_MAX + 64];
    snprintf(name, sizeof(name), "file:%s", from);
    int rc = weir_open(name, WEIR_READ, 0, &in);
    if (rc < 0)
        return rc;
    snprintf(name, sizeof(name), "file:%s", to);
    rc = weir_open(name, WEIR_WRITE | WEIR_CREATE | WEIR_TRUNCATE, 0, &out);
    if (rc == 0) {
        rc = weir_copy(in, out, NULL, NULL);
        int closed = weir_close(out);
        rc = rc < 0 ? rc : closed;
    }
    (void)weir_close(in);
    return rc;
}

/* true: it is trusted there now. */
static bool trust_system(const struct command *command, const struct tls_dev *dev)
{
    static const char *const update[] = {UPDATE, NULL};
    if (dev->trusted) {
        fprintf(stderr, "weir: the system trusts the local authority already\n");
        return true;
    }
    if (access(UPDATE, X_OK) < 0 || access(SYSTEM_FOLDER, W_OK) < 0) {
        fprintf(stderr,
                "weir: for the system's authorities root is needed: sudo cp %s " SYSTEM_FILE
                " && sudo update-ca-certificates\n",
                dev->authority);
        return false;
    }
    int rc = copy_file(dev->authority, SYSTEM_FILE);
    if (rc == 0)
        rc = run(update);
    if (rc != 0) {
        complain(command, "--trust: cannot add " SYSTEM_FILE " to the system's authorities: %s",
                 rc < 0 ? strerrordesc_np(-rc) : "update-ca-certificates failed");
        return false;
    }
    fprintf(stderr, "weir: trusted by the system (" SYSTEM_FILE "); to undo: sudo rm " SYSTEM_FILE
                    " && sudo update-ca-certificates --fresh\n");
    return true;
}

/* --- NSS databases --- */

static bool trust_database(const struct command *command, const struct tls_dev *dev,
                           const char *folder)
{
    char database[PATH_MAX + 8];
    snprintf(database, sizeof(database), "sql:%s", folder);
    const char *const forget[] = {"certutil", "-D", "-d", database, "-n", NICKNAME, NULL};
    const char *const add[] = {"certutil", "-A",  "-d", database,       "-n", NICKNAME,
                               "-t",       "C,,", "-i", dev->authority, NULL};
    while (run(forget) == 0) /* those of before */
        ;
    int rc = run(add);
    if (rc != 0) {
        complain(command, "--trust: certutil cannot add the local authority to %s%s%s", folder,
                 rc < 0 ? ": " : "", rc < 0 ? strerrordesc_np(-rc) : "");
        return false;
    }
    fprintf(stderr, "weir: trusted in %s; to undo: certutil -D -d %s -n '" NICKNAME "'\n", folder,
            database);
    return true;
}

/* Chromium's is made if it is not there yet: it looks for it only when it starts. */
static bool trust_chromium(const struct command *command, const struct tls_dev *dev,
                           const char *home)
{
    char folder[PATH_MAX - 64], file[PATH_MAX], database[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/.pki", home);
    (void)mkdir(folder, 0700);
    snprintf(folder, sizeof(folder), "%s/.pki/nssdb", home);
    snprintf(file, sizeof(file), "%s/cert9.db", folder);
    snprintf(database, sizeof(database), "sql:%s", folder);
    const char *const make[] = {"certutil", "-N", "-d", database, "--empty-password", NULL};
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
        complain(command, "--trust: cannot make %s: %s", folder, strerrordesc_np(errno));
        return false;
    }
    if (access(file, F_OK) < 0)
        (void)run(make);
    return trust_database(command, dev, folder);
}

static bool trust_firefox(const struct command *command, const struct tls_dev *dev,
                          const char *home)
{
    static const char *const places[] = {"", "/snap/firefox/common"};
    bool any = false;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char pattern[PATH_MAX];
        glob_t found;
        snprintf(pattern, sizeof(pattern), "%s%s/.mozilla/firefox/*/cert9.db", home, places[i]);
        if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc && k < LIMIT_AUTHORITY_PROFILES; k++) {
            *strrchr(found.gl_pathv[k], '/') = '\0';
            any |= trust_database(command, dev, found.gl_pathv[k]);
        }
        globfree(&found);
    }
    return any;
}

static bool trust_browsers(const struct command *command, const struct tls_dev *dev)
{
    static const char *const look[] = {"certutil", "-H", NULL};
    const char *home = getenv("HOME");
    if (!home || home[0] != '/') {
        complain(command, "--trust: browsers keep whom they trust in the home folder: set HOME");
        return false;
    }
    if (run(look) < 0) {
        fprintf(stderr,
                "weir: for browsers certutil is needed: sudo apt install libnss3-tools, and this "
                "once more\n");
        return false;
    }
    bool chromium = trust_chromium(command, dev, home);
    bool firefox = trust_firefox(command, dev, home);
    if (chromium || firefox)
        fprintf(stderr, "weir: browsers that are open have to be started anew\n");
    return chromium || firefox;
}

int tls_dev_trust(const struct command *command, const struct tls_dev *dev)
{
    bool system = trust_system(command, dev);
    bool browsers = trust_browsers(command, dev);
    return system || browsers ? 0 : 1;
}
