#include "service/file_cache.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES 2200 /* of the size that is always read into memory: more than the cache may hold */

struct bench {
    char dir[64];
    struct folder folder;
    struct weir_now now;
    struct file_budget budget;
    struct file_cache cache;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    strcpy(b->dir, "/tmp/weir-cache-XXXXXX");
    static const struct folder_options options = {.coding = "br,gzip", .coding_neighbours = true};
    if (!mkdtemp(b->dir) || folder_open(&b->folder, b->dir, &options) < 0)
        return -1;
    for (int i = 0; i < FILES; i++) { /* holes: no disk is used */
        char path[96];
        snprintf(path, sizeof(path), "%s/f%d", b->dir, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || ftruncate(fd, LIMIT_FILE_SMALL_BYTES) < 0)
            return -1;
        close(fd);
    }
    b->budget.max = 4;
    b->cache.budget = &b->budget;
    file_cache_defaults(&b->cache.options);
    b->now = (struct weir_now){1000 * WEIR_NS_PER_S, (int64_t)(time(NULL) + 10) * 1000000000};
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    file_cache_done(&b->cache);
    for (int i = 0; i < FILES; i++) {
        char path[96];
        snprintf(path, sizeof(path), "%s/f%d", b->dir, i);
        unlink(path);
    }
    folder_close(&b->folder);
    int rc = rmdir(b->dir);
    free(b);
    return rc;
}

/* The representation that this client gets. */
static struct file *get_as(struct bench *b, const char *path, struct accept accept)
{
    struct entry *entry = NULL;
    struct file *file = NULL;
    int rc = -ESTALE;
    for (int i = 0; i < 3 && rc == -ESTALE; i++) {
        assert_int_equal(file_cache_find(&b->cache, &b->folder, bytes_str(path), b->now, &entry),
                         0);
        int coding = entry_pick(entry, accept, 0);
        assert_true(coding >= 0);
        rc = file_cache_load(&b->cache, entry, (enum coding)coding, b->now, &file);
        weir_drop(&entry->ref);
    }
    assert_int_equal(rc, 0);
    return file;
}

static struct file *get(struct bench *b, int i)
{
    char path[32];
    snprintf(path, sizeof(path), "/f%d", i);
    return get_as(b, path, ACCEPT_IDENTITY);
}

static void memory_is_bounded_and_what_is_used_stays(void **state)
{
    struct bench *b = *state;
    struct file *hot = get(b, 0), *held = get(b, 1);
    for (int i = 2; i < FILES; i++) {
        weir_drop(&get(b, i)->ref);
        struct file *again = get(b, 0);
        assert_ptr_equal(again, hot);
        weir_drop(&again->ref);
        assert_true(b->cache.memory <= b->cache.options.ready_bytes);
    }
    assert_true(b->cache.ready.count < FILES);
    struct file *other = get(b, 1); /* it had to leave; who held it still has it */
    assert_ptr_not_equal(other, held);
    assert_int_equal(held->ref.count, 1);
    assert_int_equal(held->body[0], 0);
    weir_drop(&other->ref);
    weir_drop(&held->ref);
    weir_drop(&hot->ref);
}

static void a_file_is_looked_at_once_a_second(void **state)
{
    struct bench *b = *state;
    struct file *file = get(b, 5);
    uint64_t checked = file->entry->checked_ns;
    weir_drop(&file->ref);
    b->now.mono_ns += LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS - 1;
    file = get(b, 5);
    assert_int_equal(file->entry->checked_ns, checked);
    weir_drop(&file->ref);
    b->now.mono_ns += 1;
    struct file *again = get(b, 5);
    assert_ptr_equal(again, file);
    assert_int_equal(again->entry->checked_ns, b->now.mono_ns);
    weir_drop(&again->ref);
}

/* From here on the first files are too large to be ready replies. */
static void enlarge(struct bench *b, int count)
{
    char path[96];
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/f%d", b->dir, i);
        assert_int_equal(truncate(path, LIMIT_FILE_READY_BYTES + 1), 0);
    }
}

static void a_large_file_stays_open_until_it_changes(void **state)
{
    struct bench *b = *state;
    enlarge(b, 1);
    struct file *file = get(b, 0), *again = get(b, 0);
    assert_ptr_equal(again, file);
    assert_int_equal(b->budget.open, 1);
    weir_drop(&again->ref);
    enlarge(b, 1); /* its time of change is another: no second has to pass */
    again = get(b, 0);
    assert_ptr_not_equal(again, file);
    assert_int_equal(file->ref.count, 1);
    assert_int_equal(b->budget.open, 1);
    weir_drop(&again->ref);
    weir_drop(&file->ref);
}

static void open_files_are_bounded_and_closed_in_time(void **state)
{
    struct bench *b = *state;
    enlarge(b, 9);
    assert_int_equal(file_cache_expire(&b->cache, b->now.mono_ns), 0);
    for (int i = 0; i < 9; i++)
        weir_drop(&get(b, i)->ref);
    assert_int_equal(b->budget.open, 4);
    assert_int_equal(b->cache.open.count, 4);
    uint64_t due = file_cache_expire(&b->cache, b->now.mono_ns);
    assert_int_equal(due, b->now.mono_ns + LIMIT_FILE_OPEN_MS * WEIR_NS_PER_MS);
    b->now.mono_ns += LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS;
    weir_drop(&get(b, 5)->ref); /* the oldest of the four, used again */
    assert_int_equal(file_cache_expire(&b->cache, due - 1), due);
    assert_int_equal(file_cache_expire(&b->cache, due), due + LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS);
    assert_int_equal(b->budget.open, 1);
    b->budget.open = b->budget.max; /* other threads have them all */
    file_cache_done(&b->cache);
    b->budget.open = b->budget.max;
    weir_drop(&get(b, 7)->ref);
    assert_int_equal(b->cache.open.count, 0);
}

static void put(struct bench *b, const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    if (!text) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void is(struct bench *b, struct accept accept, const char *content)
{
    struct file *file = get_as(b, "/page.html", accept);
    assert_int_equal(file->size, strlen(content));
    assert_memory_equal(file->body, content, file->size);
    weir_drop(&file->ref);
}

static void neighbours_come_and_go(void **state)
{
    struct bench *b = *state;
    const struct accept br = {{1, 0, 0, 2}}, both = {{1, 2, 2, 2}}, gzip = {{0, 1, 0, 0}};
    put(b, "page.html", "plain");
    is(b, br, "plain");
    put(b, "page.html.gz", "GZ");
    is(b, both, "plain"); /* not looked for yet */
    b->now.mono_ns += LIMIT_NEIGHBOUR_MS * WEIR_NS_PER_MS;
    is(b, both, "GZ");
    is(b, gzip, "GZ");
    is(b, br, "plain");
    put(b, "page.html.br", "BR");
    b->now.mono_ns += LIMIT_NEIGHBOUR_MS * WEIR_NS_PER_MS;
    is(b, both, "BR"); /* of equals the one named first in --coding */
    is(b, gzip, "GZ");
    put(b, "page.html.br", "BR, another");
    b->now.mono_ns += LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS;
    is(b, br, "BR, another");
    put(b, "page.html.br", NULL);
    b->now.mono_ns += LIMIT_FILE_CHECK_MS * WEIR_NS_PER_MS;
    is(b, both, "GZ");
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    char path[96];
    snprintf(path, sizeof(path), "%s/page.html.gz", b->dir);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0); /* older than the page */
    b->now.mono_ns += LIMIT_NEIGHBOUR_MS * WEIR_NS_PER_MS;
    is(b, both, "plain");
    put(b, "page.html.gz", NULL);
    put(b, "page.html", NULL);
    assert_true(b->cache.ready.count > 0);
    file_cache_done(&b->cache);
    assert_int_equal(b->cache.ready.count, 0);
    assert_int_equal(b->cache.memory, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_bounded_and_what_is_used_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_looked_at_once_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_file_stays_open_until_it_changes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(open_files_are_bounded_and_closed_in_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(neighbours_come_and_go, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
