#include "ends.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Runs a shell command whose output comes back; its status is returned. */
static int shell(const char *command, const struct weir_process_options *given, char *text,
                 size_t size)
{
    const char *const argv[] = {"sh", "-c", command, NULL};
    struct weir_process_options options = given ? *given : (struct weir_process_options){0};
    struct weir_fd_map map[8];
    struct weir_stream *ends[2];
    struct weir_process *process;
    assert_int_equal(weir_pipe(ends), 0);
    for (size_t i = 0; i < options.map_count; i++)
        map[i] = options.map[i];
    map[options.map_count] = (struct weir_fd_map){weir_write_fd(ends[1]), 1};
    options.map = map;
    options.map_count++;
    assert_int_equal(weir_process_start(argv, &options, &process), 0);
    weir_close(ends[1]);
    weir_set_timeout(ends[0], PATIENCE_MS);
    ssize_t n = weir_read_full(ends[0], text, size - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    weir_close(ends[0]);
    int status = weir_process_wait(process, PATIENCE_MS);
    weir_process_free(process);
    return status;
}

static void status_is_a_value(void **state)
{
    (void)state;
    char text[64];
    assert_int_equal(shell("exit 0", NULL, text, sizeof(text)), 0);
    assert_int_equal(shell("exit 37", NULL, text, sizeof(text)), 37);
    assert_int_equal(shell("kill -SEGV $$", NULL, text, sizeof(text)), WEIR_SIGNALLED + SIGSEGV);
    assert_string_equal(weir_process_status(3, text, sizeof(text)), "exited with status 3");
    assert_string_equal(weir_process_status(WEIR_SIGNALLED + SIGSEGV, text, sizeof(text)),
                        "was killed by SIGSEGV");
}

static void failure_to_start_comes_back(void **state)
{
    (void)state;
    struct weir_process *p;
    char script[128];
    snprintf(script, sizeof(script), "%s/script", test_dir);
    int fd = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "echo hi\n", 8), 8);
    assert_int_equal(weir_process_start((const char *const[]){script, NULL}, NULL, &p), -EACCES);
    fchmod(fd, 0700);
    close(fd);
    assert_int_equal(weir_process_start((const char *const[]){script, NULL}, NULL, &p), -ENOEXEC);
    unlink(script);
    assert_int_equal(weir_process_start((const char *const[]){"/no/such", NULL}, NULL, &p),
                     -ENOENT);
    assert_int_equal(weir_process_start((const char *const[]){"no-such-program", NULL}, NULL, &p),
                     -ENOENT);
    assert_int_equal(weir_process_start((const char *const[]){"", NULL}, NULL, &p), -ENOENT);
    assert_int_equal(weir_process_start((const char *const[]){NULL}, NULL, &p), -EINVAL);
    struct weir_process_options nowhere = {.dir = "/no/such/folder"};
    assert_int_equal(weir_process_start((const char *const[]){"true", NULL}, &nowhere, &p),
                     -ENOENT);
    struct weir_fd_map bad = {987, 0};
    struct weir_process_options unmapped = {.map = &bad, .map_count = 1};
    assert_int_equal(weir_process_start((const char *const[]){"true", NULL}, &unmapped, &p),
                     -EBADF);
}

static int open_with(const char *text)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
    close(fds[1]);
    return fds[0];
}

static void descriptors_swap_and_shift(void **state)
{
    (void)state;
    struct weir_fd_map map[4];
    char text[64];
    for (int i = 0; i < 4; i++)
        map[i] =
            (struct weir_fd_map){open_with((const char *[]){"a", "b", "c", "d"}[i]), 3 + (i ^ 1)};
    struct weir_process_options o = {.map = map, .map_count = 4};
    assert_int_equal(shell("cat <&3; cat <&4; cat <&5; cat <&6", &o, text, sizeof(text)), 0);
    assert_string_equal(text, "badc");
    for (int i = 0; i < 4; i++)
        close(map[i].parent_fd);
}

/* The same exchange among the very numbers that are mapped. */
static int say_swapped(void *arg)
{
    char text[4];
    (void)arg;
    for (int fd = 20; fd < 24; fd++)
        if (read(fd, &text[fd - 20], 1) != 1)
            return 1;
    return memcmp(text, "badc", 4) == 0 ? 0 : 2;
}

static void function_gets_swapped_descriptors(void **state)
{
    (void)state;
    struct weir_process *p;
    struct weir_fd_map map[5] = {{2, 2}};
    for (int i = 0; i < 4; i++) {
        int fd = open_with((const char *[]){"a", "b", "c", "d"}[i]);
        map[i + 1] = (struct weir_fd_map){dup2(fd, 20 + i), 20 + (i ^ 1)};
        close(fd);
    }
    struct weir_process_options o = {.map = map, .map_count = 5};
    assert_int_equal(weir_process_call(say_swapped, NULL, &o, &p), 0);
    assert_int_equal(weir_process_wait(p, PATIENCE_MS), 0);
    weir_process_free(p);
    for (int i = 0; i < 4; i++)
        close(20 + i);
}

static void nothing_else_is_inherited(void **state)
{
    (void)state;
    char text[256];
    int leaked = open("/dev/null", O_RDONLY); /* no O_CLOEXEC: on purpose */
    int high = dup2(leaked, 200);
    const struct weir_fd_map map[] = {{-1, 0}, {2, 2}, {leaked, 9}};
    struct weir_process_options o = {.map = map, .map_count = 3};
    /* ls itself opens one, the folder, as 3. */
    assert_int_equal(shell("exec ls -m /proc/self/fd", &o, text, sizeof(text)), 0);
    assert_string_equal(text, "0, 1, 2, 3, 9\n");
    close(leaked);
    close(high);
}

static void children_get_descriptors_that_wait(void **state)
{
    (void)state;
    struct weir_stream *in[2];
    struct weir_stream *out[2];
    struct weir_process *p;
    char bytes[8];
    const char *const argv[] = {"cat", NULL};
    assert_int_equal(weir_pipe(in), 0);
    assert_int_equal(weir_pair(out), 0);
    const struct weir_fd_map map[] = {{weir_read_fd(in[0]), 0}, {weir_write_fd(out[1]), 1}, {2, 2}};
    struct weir_process_options o = {.map = map, .map_count = 3};
    int flags = fcntl(weir_read_fd(in[0]), F_GETFL);
    assert_int_equal(weir_process_start(argv, &o, &p), 0);
    /* Our own end of the same pipe keeps its flags. */
    assert_int_equal(fcntl(weir_read_fd(in[0]), F_GETFL), flags);
    weir_close(in[0]);
    weir_close(out[1]);
    nap_ms(50); /* a cat that does not wait would have given up by now */
    assert_int_equal(weir_write_all(in[1], "patient", 7), 0);
    weir_close(in[1]);
    weir_set_timeout(out[0], PATIENCE_MS);
    assert_int_equal(weir_read_full(out[0], bytes, sizeof(bytes)), 7);
    weir_close(out[0]);
    assert_int_equal(weir_process_wait(p, PATIENCE_MS), 0);
    weir_process_free(p);
}

static void on_usr1(int signal_number)
{
    (void)signal_number;
}

static void signals_are_as_a_program_expects(void **state)
{
    (void)state;
    char text[256];
    sigset_t set;
    sigset_t before;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, on_usr1);
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, &before);
    const struct weir_fd_map map[] = {{-1, 0}, {2, 2}};
    struct weir_process_options o = {.map = map, .map_count = 2};
    int status = shell("exec sed -n '/Sig[BIC]/p' /proc/self/status", &o, text, sizeof(text));
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    assert_int_equal(status, 0);
    assert_string_equal(text, "SigBlk:\t0000000000000000\n"
                              "SigIgn:\t0000000000000000\n"
                              "SigCgt:\t0000000000000000\n");
}

static void folder_environment_and_group(void **state)
{
    (void)state;
    char text[256];
    char expected[128];
    const struct weir_fd_map map[] = {{-1, 0}, {2, 2}};
    const char *const env[] = {"ONLY=this", NULL};
    struct weir_process_options o = {
        .map = map, .map_count = 2, .dir = test_dir, .env = env, .new_group = true};
    assert_int_equal(shell("/bin/pwd; echo $ONLY $HOME", &o, text, sizeof(text)), 0);
    snprintf(expected, sizeof(expected), "%s\nthis\n", test_dir);
    assert_string_equal(text, expected);
    assert_int_equal(shell("ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat", &o, text,
                           sizeof(text)),
                     0);
    assert_int_not_equal(atoi(text), getpgrp());
}

static void waiting_has_a_limit(void **state)
{
    (void)state;
    struct weir_process *p;
    const char *const argv[] = {"sleep", "60", NULL};
    assert_int_equal(weir_process_start(argv, NULL, &p), 0);
    int64_t before = now_ms();
    assert_int_equal(weir_process_wait(p, 0), -ETIMEDOUT);
    assert_int_equal(weir_process_wait(p, 50), -ETIMEDOUT);
    assert_true(now_ms() - before >= 49);
    assert_int_equal(weir_process_kill(p, SIGTERM, false), 0);
    assert_int_equal(weir_process_wait(p, PATIENCE_MS), WEIR_SIGNALLED + SIGTERM);
    assert_int_equal(weir_process_wait(p, 0), WEIR_SIGNALLED + SIGTERM);
    assert_int_equal(weir_process_kill(p, SIGTERM, false), -ESRCH);
    weir_process_free(p);
    /* One that still runs is killed and reaped: count_after() would find it. */
    assert_int_equal(weir_process_start(argv, NULL, &p), 0);
    weir_process_free(p);
}

static void whole_group_is_killed(void **state)
{
    (void)state;
    struct weir_process *p;
    struct weir_stream *ends[2];
    char byte;
    const char *const argv[] = {"sh", "-c", "sleep 60 & sleep 60", NULL};
    assert_int_equal(weir_pipe(ends), 0);
    const struct weir_fd_map map[] = {{-1, 0}, {weir_write_fd(ends[1]), 1}, {2, 2}};
    struct weir_process_options o = {.map = map, .map_count = 3, .new_group = true};
    assert_int_equal(weir_process_start(argv, &o, &p), 0);
    weir_close(ends[1]);
    nap_ms(30);
    assert_int_equal(weir_process_kill(p, SIGKILL, true), 0);
    /* The end of the pipe says that the grandchild, which holds it too, is gone. */
    weir_set_timeout(ends[0], PATIENCE_MS);
    assert_int_equal(weir_read(ends[0], &byte, 1), 0);
    weir_close(ends[0]);
    weir_process_free(p);
}

static int start_and_die(void *arg)
{
    struct weir_process *p;
    const char *const argv[] = {"sleep", "60", NULL};
    const struct weir_fd_map map[] = {{1, 1}};
    struct weir_process_options o = {.map = map, .map_count = 1, .die_signal = SIGKILL};
    (void)arg;
    if (weir_process_start(argv, &o, &p) < 0)
        return 1;
    _exit(7);
}

static void child_dies_with_its_parent(void **state)
{
    (void)state;
    struct weir_process *p;
    struct weir_stream *ends[2];
    char byte;
    assert_int_equal(weir_pipe(ends), 0);
    const struct weir_fd_map map[] = {{weir_write_fd(ends[1]), 1}};
    struct weir_process_options o = {.map = map, .map_count = 1};
    assert_int_equal(weir_process_call(start_and_die, NULL, &o, &p), 0);
    weir_close(ends[1]);
    assert_int_equal(weir_process_wait(p, PATIENCE_MS), 7);
    weir_process_free(p);
    weir_set_timeout(ends[0], PATIENCE_MS);
    assert_int_equal(weir_read(ends[0], &byte, 1), 0);
    weir_close(ends[0]);
}

static int return_number(void *arg)
{
    printf("printed once by the child\n");
    return *(int *)arg;
}

static void function_runs_in_a_child(void **state)
{
    (void)state;
    struct weir_process *p;
    struct weir_stream *ends[2];
    char text[64];
    int number = 5;
    assert_int_equal(weir_pipe(ends), 0);
    const struct weir_fd_map map[] = {{weir_write_fd(ends[1]), 1}};
    struct weir_process_options o = {.map = map, .map_count = 1};
    assert_int_equal(weir_process_call(return_number, &number, &o, &p), 0);
    weir_close(ends[1]);
    weir_set_timeout(ends[0], PATIENCE_MS);
    ssize_t n = weir_read_full(ends[0], text, sizeof(text));
    assert_int_equal(n, strlen("printed once by the child\n"));
    weir_close(ends[0]);
    assert_int_equal(weir_process_wait(p, PATIENCE_MS), 5);
    weir_process_free(p);
}

/* Many in a row: count_after() finds a descriptor or a zombie that one of them left. */
static void nothing_is_left_behind(void **state)
{
    (void)state;
    struct weir_process *p;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(weir_process_start((const char *const[]){"true", NULL}, NULL, &p), 0);
        if (i % 2)
            assert_int_equal(weir_process_wait(p, PATIENCE_MS), 0);
        weir_process_free(p);
        assert_int_equal(weir_process_start((const char *const[]){"/no", NULL}, NULL, &p), -ENOENT);
    }
}

static void check_words(const char *command, const char *const *expected)
{
    char **words;
    assert_int_equal(weir_words(command, &words), 0);
    size_t i = 0;
    for (; expected[i]; i++) {
        assert_non_null(words[i]);
        assert_string_equal(words[i], expected[i]);
    }
    assert_null(words[i]);
    free(words);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void words_are_split_without_a_shell(void **state)
{
    char **words;
    (void)state;
    check_words("a", WORDS("a"));
    check_words("  sort\t-u \n", WORDS("sort", "-u"));
    check_words("a b c d e f", WORDS("a", "b", "c", "d", "e", "f"));
    check_words("'one word' \"two words\"", WORDS("one word", "two words"));
    check_words("a'b'\"c\"d", WORDS("abcd"));
    check_words("'' \"\"", WORDS("", ""));
    check_words("a\\ b \\'c\\\\", WORDS("a b", "'c\\"));
    check_words("\"a\\\"b\\\\c\\n\" 'a\\b'", WORDS("a\"b\\c\\n", "a\\b"));
    check_words("$HOME *.c | ; > x", WORDS("$HOME", "*.c", "|", ";", ">", "x"));
    const char *const bad[] = {"", "  \t", "'open", "\"open", "end\\", "\"open\\", "a 'b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(weir_words(bad[i], &words), -EINVAL);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(status_is_a_value),
        COUNTED(failure_to_start_comes_back),
        COUNTED(descriptors_swap_and_shift),
        COUNTED(function_gets_swapped_descriptors),
        COUNTED(nothing_else_is_inherited),
        COUNTED(children_get_descriptors_that_wait),
        COUNTED(signals_are_as_a_program_expects),
        COUNTED(folder_environment_and_group),
        COUNTED(waiting_has_a_limit),
        COUNTED(whole_group_is_killed),
        COUNTED(child_dies_with_its_parent),
        COUNTED(function_runs_in_a_child),
        COUNTED(nothing_is_left_behind),
        COUNTED(words_are_split_without_a_shell),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
