/* The parts of CGI that need no program: paths, the log's lines. */
#include "service/cgi.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "service/cgi_find.h"
#include "service/cgi_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- paths --- */

struct tree {
    char folder[64];
    struct cgi cgi;
};

static void put(const struct tree *tree, const char *name, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", tree->folder, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int make_tree(void **state)
{
    struct tree *tree = calloc(1, sizeof(*tree));
    char path[128];
    strcpy(tree->folder, "/tmp/weir-cgi-XXXXXX");
    assert_non_null(mkdtemp(tree->folder));
    snprintf(path, sizeof(path), "%s/in", tree->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    put(tree, "run", 0700);
    put(tree, "others-run", 0711);
    put(tree, "read", 0644);
    put(tree, "in/run", 0755);
    snprintf(path, sizeof(path), "%s/link", tree->folder);
    assert_int_equal(symlink("in/run", path), 0);
    snprintf(path, sizeof(path), "%s/out", tree->folder);
    assert_int_equal(symlink("../../bin/sh", path), 0);
    tree->cgi = (struct cgi){.prefix = BYTES("/c"), .folder = open(tree->folder, O_PATH)};
    assert_true(tree->cgi.folder >= 0);
    *state = tree;
    return 0;
}

static int remove_tree(void **state)
{
    static const char *const names[] = {"in/run", "in",   "run", "others-run",
                                        "read",   "link", "out", ""};
    struct tree *tree = *state;
    char path[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", tree->folder, names[i]);
        assert_int_equal(remove(path), 0);
    }
    close(tree->cgi.folder);
    free(tree);
    return 0;
}

static void programs_are_found_by_segments(void **state)
{
    static const struct {
        const char *path;
        int rc;
        size_t name_at, name_end;
    } rows[] = {
        {"/c/run", 0, 3, 6},        {"/c/run/", 0, 3, 6},       {"/c/run/x/y", 0, 3, 6},
        {"/c/in/run/x", 0, 6, 9},   {"/c/link", 0, 3, 7},       {"/c/others-run", 0, 3, 13},
        {"/c/read", -EACCES, 0, 0}, {"/c", -ENOENT, 0, 0},      {"/c/", -ENOENT, 0, 0},
        {"/c/in", -ENOENT, 0, 0},   {"/c/in/", -ENOENT, 0, 0},  {"/c/in/none", -ENOENT, 0, 0},
        {"/c/out", -ENOENT, 0, 0},  {"/c/runs", -ENOENT, 0, 0},
    };
    const struct tree *tree = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct program program;
        int rc = cgi_find(&tree->cgi, bytes_str(rows[i].path), &program);
        assert_int_equal(rc, rows[i].rc);
        if (rc < 0)
            continue;
        assert_int_equal(program.name_at, rows[i].name_at);
        assert_int_equal(program.name_end, rows[i].name_end);
        char name[32] = {0};
        memcpy(name, rows[i].path + rows[i].name_at, rows[i].name_end - rows[i].name_at);
        assert_int_equal(faccessat(program.folder, name, F_OK, 0), 0);
        close(program.folder);
    }
}

static void deep_paths_end(void **state)
{
    const struct tree *tree = *state;
    char path[4000] = "/c";
    struct program program;
    for (size_t at = 2; at + 3 < sizeof(path); at += 2)
        memcpy(path + at, "/x", 2);
    assert_int_equal(cgi_find(&tree->cgi, bytes_str(path), &program), -ENOENT);
}

/* --- the log --- */

static size_t heard(int fd, char *text, size_t size)
{
    ssize_t n = read(fd, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void lines_go_to_standard_error(void **state)
{
    int ends[2], before = dup(STDERR_FILENO);
    char text[65536];
    struct cgi_log log = {.id = "id-1", .program = BYTES("/c/\x1b")};
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    dup2(ends[1], STDERR_FILENO);
    cgi_log_take(&log, "one\r\ntw", 7);
    heard(ends[0], text, sizeof(text));
    int first = strcmp(text, "weir: cgi id-1 /c/\\x1b: one\n");
    cgi_log_take(&log, "o\x1b[2J\n\n\n", 8);
    heard(ends[0], text, sizeof(text));
    int second = strcmp(text, "weir: cgi id-1 /c/\\x1b: two\\x1b[2J\n");
    cgi_log_take(&log, "rest", 4);
    size_t early = heard(ends[0], text, sizeof(text));
    cgi_log_end(&log);
    heard(ends[0], text, sizeof(text));
    int third = strcmp(text, "weir: cgi id-1 /c/\\x1b: rest\n");
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[0]);
    close(ends[1]);
    assert_true(first == 0 && second == 0 && third == 0 && early == 0);
}

static void floods_are_cut(void **state)
{
    int ends[2], before = dup(STDERR_FILENO);
    static char flood[4096], text[1 << 20];
    struct cgi_log log = {.id = "id-2", .program = BYTES("/c")};
    size_t total = 0;
    bool said = false;
    (void)state;
    memset(flood, 'x', sizeof(flood));
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    dup2(ends[1], STDERR_FILENO);
    for (unsigned i = 0; i < 100; i++) {
        cgi_log_take(&log, flood, sizeof(flood));
        total += heard(ends[0], text, sizeof(text));
        said |= strstr(text, "left out") != NULL;
    }
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[0]);
    close(ends[1]);
    assert_true(said && total > LIMIT_CGI_LOG_BYTES && total < 2 * LIMIT_CGI_LOG_BYTES);
}

/* --- mounts --- */

static void wrong_mounts_are_told(void **state)
{
    const struct tree *tree = *state;
    char mount[200], why[400], site[128];
    snprintf(mount, sizeof(mount), "/c=%s", tree->folder);
    assert_false(cgi_wrong(mount, "/usr/share", why, sizeof(why)));
    assert_true(cgi_wrong(mount, "/tmp", why, sizeof(why))); /* its source would be shown */
    assert_true(cgi_wrong(mount, "/", why, sizeof(why)));
    snprintf(mount, sizeof(mount), "/in=%s/in", tree->folder);
    assert_false(cgi_wrong(mount, tree->folder, why, sizeof(why)));
    snprintf(mount, sizeof(mount), "/i=%s/in", tree->folder);
    assert_true(cgi_wrong(mount, tree->folder, why, sizeof(why)));
    snprintf(site, sizeof(site), "%s/in", tree->folder);
    snprintf(mount, sizeof(mount), "/x=%s", tree->folder);
    assert_false(
        cgi_wrong(mount, site, why, sizeof(why))); /* around the site: no source is in it */
    assert_true(cgi_wrong("x=/tmp", "/usr", why, sizeof(why)));
    assert_non_null(strstr(why, "PREFIX=FOLDER"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(programs_are_found_by_segments, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(deep_paths_end, make_tree, remove_tree),
        cmocka_unit_test(lines_go_to_standard_error),
        cmocka_unit_test(floods_are_cut),
        cmocka_unit_test_setup_teardown(wrong_mounts_are_told, make_tree, remove_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
