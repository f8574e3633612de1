/* A whole server in a child process, under each model, with a client here. */
#include "check.h"

#include <weir/process.h>
#include <weir/server.h>
#include <weir/stream.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_MS 10000

/* A server, as the test sees it. */
struct running {
    pid_t pid;
    struct weir_stream *said; /* a letter a report: R, W, E, I */
    char name[64];
};

static int said_fd;
static unsigned grace_s = 10;

static void report(void *arg, enum weir_report kind, const char *text)
{
    (void)arg;
    (void)text;
    if (write(said_fd, &"RWEI"[kind], 1) < 0)
        abort();
}

/* Everything a caller owns is as it was before. */
static bool all_is_as_before(void)
{
    sigset_t mask;
    struct sigaction child;
    struct rlimit files;
    int reaper = 1;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigaction(SIGCHLD, NULL, &child);
    getrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    return !sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGCHLD) &&
           child.sa_handler == SIG_IGN && files.rlim_cur == 200 && reaper == 0;
}

static _Noreturn void be_server(const char *model, const struct weir_service *service,
                                const char *name)
{
    const char *const listen[] = {name};
    struct weir_server server = {.service = service,
                                 .listen = listen,
                                 .listen_count = 1,
                                 .model = model,
                                 .workers = 2,
                                 .grace_s = grace_s,
                                 .report = report};
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = 200;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGCHLD, SIG_IGN);
    int status = weir_server_run(&server);
    _exit(all_is_as_before() ? status : 99);
}

static char next_report(struct running *running)
{
    char letter = '-';
    return weir_read(running->said, &letter, 1) == 1 ? letter : '-';
}

static void start(struct running *running, const char *model, const struct weir_service *service)
{
    static unsigned number;
    int ends[2];
    snprintf(running->name, sizeof(running->name), "unix:@weir-supervise-%d-%u", (int)getpid(),
             number++);
    assert_int_equal(pipe(ends), 0);
    running->pid = fork();
    assert_true(running->pid >= 0);
    if (running->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        said_fd = ends[1];
        be_server(model, service, running->name);
    }
    close(ends[1]);
    assert_int_equal(weir_from_fd(ends[0], true, &running->said), 0);
    weir_set_timeout(running->said, TIME_MS);
}

static void wait_ready(struct running *running)
{
    char letter;
    while ((letter = next_report(running)) == 'I')
        ;
    assert_int_equal(letter, 'R');
}

static int end(struct running *running, int signal_number)
{
    int status;
    if (signal_number)
        kill(running->pid, signal_number);
    assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
    weir_close(running->said);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static struct weir_stream *client_of(const struct running *running)
{
    struct weir_stream *client;
    assert_int_equal(weir_open(running->name, WEIR_READ | WEIR_WRITE, TIME_MS, &client), 0);
    weir_set_timeout(client, TIME_MS);
    return client;
}

/* What comes back for "ping", as a number. */
static int ask(struct weir_stream *client)
{
    char answer[16] = "";
    assert_int_equal(weir_write_all(client, "ping", 4), 0);
    assert_true(weir_read_full(client, answer, 8) == 8);
    return atoi(answer);
}

/* --- services: each answers with its process --- */

static ssize_t answer(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    char text[16];
    (void)state;
    (void)bytes;
    if (len < 4)
        return 0;
    snprintf(text, sizeof(text), "%08d", (int)getpid());
    weir_out_copy(weir_conn_out(conn), text, 8);
    return 4;
}

static int talk(struct weir_stream *client, void *arg)
{
    char text[16];
    (void)arg;
    ssize_t n;
    while ((n = weir_read_full(client, text, 4)) == 4) {
        snprintf(text, sizeof(text), "%08d", (int)getpid());
        n = weir_write_all(client, text, 8);
        if (n < 0)
            break;
    }
    return n < 0 ? (int)n : 0;
}

static int cannot(struct weir_driver *driver, void *arg)
{
    (void)driver;
    (void)arg;
    return -EDOM;
}

static const struct weir_protocol protocol = {.name = "answer", .input_max = 4, .input = answer};
static const struct weir_service machine = {
    .name = "machine", .protocol = &protocol, .threads = true};
static const struct weir_service function = {.name = "function", .talk = talk, .threads = true};
static const struct weir_service broken = {
    .name = "broken", .protocol = &protocol, .threads = true, .worker_start = cannot};

/* --- tests --- */

static void every_model_serves_a_machine(void **state)
{
    (void)state;
    const struct weir_model_info *info;
    for (unsigned i = 0; (info = weir_model(i)); i++) {
        struct running running;
        start(&running, info->name, &machine);
        wait_ready(&running);
        struct weir_stream *client = client_of(&running);
        assert_true(ask(client) > 0);
        assert_true(ask(client) != running.pid); /* the supervisor serves nobody */
        weir_close(client);
        assert_int_equal(end(&running, i % 2 ? SIGTERM : SIGINT), WEIR_EXIT_OK);
    }
}

static void every_model_but_event_serves_a_function(void **state)
{
    (void)state;
    const struct weir_model_info *info;
    for (unsigned i = 0; (info = weir_model(i)); i++) {
        struct running running;
        start(&running, info->name, &function);
        if (!info->talk) {
            assert_int_equal(next_report(&running), 'E');
            assert_int_equal(end(&running, 0), WEIR_EXIT_USAGE);
            continue;
        }
        wait_ready(&running);
        struct weir_stream *client = client_of(&running);
        assert_true(ask(client) > 0);
        weir_close(client);
        assert_int_equal(end(&running, SIGTERM), WEIR_EXIT_OK);
    }
}

static void a_worker_that_dies_is_replaced(void **state)
{
    (void)state;
    const char *names[] = {"sequential", "thread",
                           "pool"}; /* here a machine answers with its worker */
    for (unsigned i = 0; i < 3; i++) {
        struct running running;
        start(&running, names[i], &machine);
        wait_ready(&running);
        struct weir_stream *client = client_of(&running);
        int first = ask(client);
        assert_int_equal(kill(first, SIGKILL), 0);
        weir_close(client);
        client = client_of(&running);
        int second = ask(client);
        assert_int_not_equal(first, second);
        char letter;
        while ((letter = next_report(&running)) == 'I')
            ;
        assert_int_equal(letter, 'W');
        weir_close(client);
        assert_int_equal(end(&running, SIGTERM), WEIR_EXIT_OK);
    }
}

static void the_grace_period_ends(void **state)
{
    (void)state;
    const char *names[] = {"sequential", "fork-wait", "fork", "thread", "pool", "prefork"};
    grace_s = 1;
    for (unsigned i = 0; i < 6; i++) {
        struct running running;
        start(&running, names[i], &function);
        wait_ready(&running);
        struct weir_stream *client = client_of(&running);
        int child = ask(client); /* from now on it waits for us, for ever */
        assert_int_equal(end(&running, SIGTERM), WEIR_EXIT_GRACE);
        assert_int_equal(kill(child, 0), -1);
        assert_int_equal(errno, ESRCH);
        char byte;
        assert_true(weir_read(client, &byte, 1) <= 0);
        weir_close(client);
    }
    grace_s = 10;
}

static void a_worker_that_cannot_start_ends_the_server(void **state)
{
    (void)state;
    const char *names[] = {"sequential", "pool", "prefork", "event"};
    for (unsigned i = 0; i < 4; i++) {
        struct running running;
        start(&running, names[i], &broken);
        char letter;
        while ((letter = next_report(&running)) != 'E')
            assert_int_not_equal(letter, '-');
        assert_int_equal(end(&running, 0), WEIR_EXIT_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_serves_a_machine),
        cmocka_unit_test(every_model_but_event_serves_a_function),
        cmocka_unit_test(a_worker_that_dies_is_replaced),
        cmocka_unit_test(the_grace_period_ends),
        cmocka_unit_test(a_worker_that_cannot_start_ends_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
