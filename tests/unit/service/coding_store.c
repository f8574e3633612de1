/* The shared store of coded files: found by what the file was, bounded, one coding at a time, nothing left behind. */
#include "service/coding_store.h"

#include "../base/check.h"
#include "service/coding_sweep.h"
#include "tbl/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

struct bench {
    char dir[64];
    struct coding_store store;
    char file[96];
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    strcpy(b->dir, "/tmp/weir-store-XXXXXX");
    if (!mkdtemp(b->dir))
        return -1;
    setenv("RUNTIME_DIRECTORY", b->dir, 1);
    snprintf(b->file, sizeof(b->file), "%s/file", b->dir);
    if (coding_store_open(&b->store, NULL, 1 << 20) < 0)
        return -1;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    coding_store_close(&b->store);
    unlink(b->file);
    int rc = rmdir(b->dir); /* nothing was left in it */
    free(b);
    return rc;
}

static int write_file(const struct bench *b, const char *text, size_t times, struct coding_key *key)
{
    int fd = open(b->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    *key = (struct coding_key){stamp_of(&st), CODING_GZIP, 6};
    return fd;
}

static unsigned results(const struct bench *b, const char *prefix)
{
    unsigned count = 0;
    int fd = openat(b->store.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *reader = fdopendir(fd);
    const struct dirent *entry;
    while ((entry = readdir(reader)))
        count +=
            prefix ? strncmp(entry->d_name, prefix, strlen(prefix)) == 0 : entry->d_name[0] != '.';
    closedir(reader);
    return count;
}

static void a_result_is_found_by_what_the_file_was(void **state)
{
    struct bench *b = *state;
    struct coding_key key;
    int from = write_file(b, "the river ", 1000, &key), fd = -1;
    assert_int_equal(coding_store_find(&b->store, &key, &fd), -ENOENT);
    assert_int_equal(coding_store_make(&b->store, &key, from), 0);
    assert_int_equal(coding_store_find(&b->store, &key, &fd), 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(st.st_size > 20 && st.st_size < 1000);
    assert_int_equal(st.st_mode & 0777, 0600);
    close(fd);
    struct coding_key other = key;
    other.level = 7;
    assert_int_equal(coding_store_find(&b->store, &other, &fd), -ENOENT);
    other = key, other.coding = CODING_BR;
    assert_int_equal(coding_store_find(&b->store, &other, &fd), -ENOENT);
    other = key, other.stamp.modified.tv_nsec ^= 1;
    assert_int_equal(coding_store_find(&b->store, &other, &fd), -ENOENT);
    other = key, other.stamp.ino++;
    assert_int_equal(coding_store_find(&b->store, &other, &fd), -ENOENT);
    close(from);
}

static void what_does_not_pay_is_remembered(void **state)
{
    struct bench *b = *state;
    struct coding_key key;
    char noise[5000];
    for (size_t i = 0; i < sizeof(noise) - 1; i++)
        noise[i] = (char)(rand() % 255 + 1);
    noise[sizeof(noise) - 1] = '\0';
    int from = write_file(b, noise, 1, &key), fd = -1;
    assert_int_equal(coding_store_make(&b->store, &key, from), 0);
    assert_int_equal(coding_store_find(&b->store, &key, &fd), -EFBIG);
    assert_int_equal(fd, -1);
    close(from);
}

static void a_file_that_changed_is_not_kept(void **state)
{
    struct bench *b = *state;
    struct coding_key key;
    int from = write_file(b, "the river ", 1000, &key), fd;
    assert_int_equal(ftruncate(from, 5000), 0);
    assert_int_equal(coding_store_make(&b->store, &key, from), -ESTALE);
    assert_int_equal(ftruncate(from, 10000), 0);
    assert_int_equal(coding_store_make(&b->store, &key, from), -ESTALE);
    assert_int_equal(coding_store_find(&b->store, &key, &fd), -ENOENT);
    assert_int_equal(results(b, ".new-"), 0);
    close(from);
}

static void it_is_bounded_and_what_was_used_stays(void **state)
{
    struct bench *b = *state;
    struct coding_key first, key;
    int from = write_file(b, "the river ", 1000, &first), fd;
    assert_int_equal(coding_store_make(&b->store, &first, from), 0);
    key = first;
    for (int i = 0; i < 600; i++) { /* a block each: 256 of them are a megabyte */
        key.stamp.ino = first.stamp.ino;
        key.level = 1 + i % 9;
        key.stamp.dev = (dev_t)(1000 + i);
        struct stat st;
        assert_int_equal(fstat(from, &st), 0);
        key.stamp.modified = st.st_mtim;
        (void)!coding_store_make(&b->store, &key, from); /* of another device: it "changed" */
        char name[64];
        snprintf(name, sizeof(name), "%x-filler", (unsigned)i);
        fd = openat(b->store.dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, "x", 1), 1);
        close(fd);
        if (i % 50 == 0) {
            assert_int_equal(coding_store_find(&b->store, &first, &fd), 0);
            close(fd);
            coding_sweep(b->store.dir, b->store.max, b->store.bytes);
        }
    }
    coding_sweep(b->store.dir, b->store.max, b->store.bytes);
    assert_true(*b->store.bytes <= b->store.max);
    assert_true(results(b, NULL) <= 256);
    assert_true(results(b, NULL) >= 128);
    assert_int_equal(coding_store_find(&b->store, &first, &fd), 0);
    close(fd);
    close(from);
}

struct racer {
    const struct bench *b;
    struct coding_key key;
    int from, rc;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    racer->rc = coding_store_make(&racer->b->store, &racer->key, racer->from);
    return NULL;
}

/* Eight threads want the same file coded: it is coded once, all of them find it. */
static void a_file_is_coded_once(void **state)
{
    struct bench *b = *state;
    struct coding_key key;
    pthread_t threads[8];
    struct racer racers[8];
    int from = write_file(b, "the river holds back the river ", 20000, &key), fd;
    for (int i = 0; i < 8; i++) {
        racers[i] = (struct racer){b, key, from, 1};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(racers[i].rc, 0);
    }
    assert_int_equal(results(b, NULL), 1);
    assert_int_equal(*b->store.bytes, coding_sweep_blocks(1)); /* one result was counted */
    assert_int_equal(coding_store_find(&b->store, &key, &fd), 0);
    close(fd);
    close(from);
}

/* A place that somebody holds for ever is not waited for; one whose holder died is free. */
static void a_place_goes_with_its_holder(void **state)
{
    struct bench *b = *state;
    struct coding_key key;
    int from = write_file(b, "the river ", 1000, &key), pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        for (unsigned i = 0; i < LIMIT_CODING_PLACES; i++) {
            char name[32];
            snprintf(name, sizeof(name), ".place-%u", i);
            int fd = openat(b->store.dir, name, O_RDWR | O_CREAT, 0600);
            if (fd < 0 || flock(fd, LOCK_EX) < 0)
                _exit(1);
        }
        (void)!write(pipes[1], "x", 1);
        pause();
    }
    char byte;
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(coding_store_make(&b->store, &key, from), -EAGAIN);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(coding_store_make(&b->store, &key, from), 0);
    close(pipes[0]);
    close(pipes[1]);
    close(from);
}

static void folders_of_the_dead_are_removed(void **state)
{
    struct bench *b = *state;
    char dead[128], inside[160], other[128];
    snprintf(dead, sizeof(dead), "%s/weir-coded-dead01", b->dir);
    snprintf(inside, sizeof(inside), "%s/x-y", dead);
    snprintf(other, sizeof(other), "%s/weir-other", b->dir);
    assert_int_equal(mkdir(dead, 0700), 0);
    assert_int_equal(mkdir(other, 0700), 0);
    int fd = open(inside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    coding_sweep_stale(b->dir, LIMIT_CODING_STALE_S);
    assert_int_equal(access(inside, F_OK), 0); /* it may be about to be locked */
    coding_sweep_stale(b->dir, 0);
    assert_int_equal(access(dead, F_OK), -1);
    assert_int_equal(access(b->store.path, F_OK), 0); /* ours is locked */
    assert_int_equal(rmdir(other), 0);                /* and this is nobody's */
}

static void a_folder_of_the_users_must_be_his_alone(void **state)
{
    struct bench *b = *state;
    struct coding_store store;
    char dir[128];
    snprintf(dir, sizeof(dir), "%s/cache", b->dir);
    assert_int_equal(coding_store_open(&store, dir, 1 << 20), -ENOENT);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(coding_store_open(&store, dir, 1 << 20), -EPERM);
    assert_int_equal(store.dir, -1);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(coding_store_open(&store, dir, 1 << 20), 0);
    struct coding_key key;
    int from = write_file(b, "the river ", 1000, &key), fd;
    assert_int_equal(coding_store_make(&store, &key, from), 0);
    coding_store_close(&store);
    assert_int_equal(coding_store_open(&store, dir, 1 << 20), 0); /* it outlives the server */
    assert_int_equal(*store.bytes, coding_sweep_blocks(1));
    assert_int_equal(coding_store_find(&store, &key, &fd), 0);
    close(fd);
    close(from);
    coding_sweep_all(store.dir);
    coding_store_close(&store);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(a_result_is_found_by_what_the_file_was),
        T(what_does_not_pay_is_remembered),
        T(a_file_that_changed_is_not_kept),
        T(it_is_bounded_and_what_was_used_stays),
        T(a_file_is_coded_once),
        T(a_place_goes_with_its_holder),
        T(folders_of_the_dead_are_removed),
        T(a_folder_of_the_users_must_be_his_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
