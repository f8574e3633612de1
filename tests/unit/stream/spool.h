/*
 * For the tests of spools: a folder of its own for each test, messages whose content follows from their number, and what is left
 * afterwards.
 */
#pragma once

#include <weir/spool.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static unsigned open_before;

static inline unsigned count_fds(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static inline void empty_folder(const char *path)
{
    char name[400];
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            unlink(name);
    }
    if (dir)
        closedir(dir);
}

static inline int make_folder(void **state)
{
    (void)state;
    open_before = count_fds();
    strcpy(folder, "/tmp/weir-spool-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    empty_folder(folder);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(count_fds(), open_before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return 0;
}

#define SPOOL_TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

static inline struct weir_spool_writer *writer(const struct weir_spool_options *options)
{
    struct weir_spool_writer *w = NULL;
    assert_int_equal(weir_spool_writer_open(folder, options, &w), 0);
    return w;
}

/* Most tests are about other things than durability. */
static inline struct weir_spool_writer *lazy_writer(uint64_t segment_bytes)
{
    const struct weir_spool_options options = {.sync_ms = WEIR_SPOOL_NEVER,
                                               .segment_bytes = segment_bytes};
    return writer(&options);
}

static inline struct weir_spool_reader *reader(const char *name, bool skip)
{
    const struct weir_spool_reader_options options = {
        .name = name, .skip_corrupt = skip, .lazy_commit = true};
    struct weir_spool_reader *r = NULL;
    assert_int_equal(weir_spool_reader_open(folder, &options, &r), 0);
    return r;
}

static inline void put(struct weir_spool_writer *w, const char *text)
{
    assert_int_equal(weir_spool_append(w, text, strlen(text)), 0);
}

/* The next message is this text; NULL: there is none. */
static inline void expect(struct weir_spool_reader *r, const char *text)
{
    struct weir_spool_message m;
    int rc = weir_spool_next(r, 0, &m);
    assert_int_equal(rc, text ? 1 : 0);
    if (!text)
        return;
    if (m.len != strlen(text) || memcmp(m.bytes, text, m.len) != 0)
        fail_msg("'%.*s' instead of '%s'", (int)m.len, (const char *)m.bytes, text);
}

static inline struct weir_spool_sum check(void)
{
    struct weir_spool_sum sum;
    assert_int_equal(weir_spool_check(folder, NULL, &sum), 0);
    return sum;
}

static inline unsigned count_files(const char *ending)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        size_t len = strlen(e->d_name), want = strlen(ending);
        count += len > want && strcmp(e->d_name + len - want, ending) == 0;
    }
    closedir(dir);
    return count;
}

/* "…/00000000000000000042.seg" */
static inline const char *segment_path(uint64_t first)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%020llu.seg", folder, (unsigned long long)first);
    return path;
}

/* The first numbers of up to `max` segments, in order. */
static inline size_t segment_firsts(uint64_t *out, size_t max)
{
    size_t count = 0;
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (strstr(names[i]->d_name, ".seg") && count < max)
            out[count++] = strtoull(names[i]->d_name, NULL, 10);
        free(names[i]);
    }
    free(names);
    return count;
}

static inline size_t file_read(const char *path, uint8_t *bytes, size_t size)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, bytes, size);
    close(fd);
    assert_true(n >= 0);
    return (size_t)n;
}

static inline void file_write(const char *path, const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    close(fd);
}

static inline int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000ll + ts.tv_nsec / 1000;
}

static inline void nap_us(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

static inline uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* The message of each number: its length and its bytes. */
static inline size_t made_len(uint64_t number)
{
    uint32_t seed = (uint32_t)number * 2654435761u;
    uint32_t random = next_random(&seed);
    return random % 16 == 0 ? 4096 + random % 20000 : random % 300;
}

#define MADE_MAX 24096

static inline void make_message(uint64_t number, uint8_t *to)
{
    size_t len = made_len(number);
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(number * 31 + i * 7 + (i >> 8));
}

static inline bool is_made(const struct weir_spool_message *m)
{
    static uint8_t bytes[MADE_MAX];
    if (m->len != made_len(m->number))
        return false;
    make_message(m->number, bytes);
    return memcmp(bytes, m->bytes, m->len) == 0;
}
