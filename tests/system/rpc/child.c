/*
 * One implementation, called in this process, in a child over a socketpair, and in a child that dies: the caller's code is the same. The exit
 * status is 0 if all was as it should be.
 */
#include "echo_table.h"

#include <weir/rpc_client.h>
#include <weir/rpc_server.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "rpc-child: line %d: %s\n", __LINE__, #condition);                     \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static void unary(Weir__Test__Echo_Service *service, const Weir__Test__Ask *ask,
                  Weir__Test__Answer_Closure closure, void *data)
{
    Weir__Test__Answer answer = WEIR__TEST__ANSWER__INIT;
    (void)service;
    if (ask->die)
        raise(SIGKILL);
    answer.text = ask->text;
    answer.number = (uint32_t)getpid();
    if (ask->code && weir_rpc_context())
        CHECK(weir_rpc_fail(weir_rpc_context(), (int)ask->code, "no", (struct weir_bytes){0}) == 0);
    closure(ask->code ? NULL : &answer, data);
}

static Weir__Test__Echo_Service echo = {WEIR__TEST__ECHO__BASE_INIT, unary, NULL, NULL, NULL};

/* What the closure was given. */
static unsigned answers, number;

static void on_answer(const Weir__Test__Answer *answer, void *data)
{
    CHECK(!answer == !data);
    answers++;
    if (answer) {
        CHECK(strcmp(answer->text, data) == 0);
        number = answer->number;
    }
}

static void ask_it(ProtobufCService *service, const char *text, unsigned code, bool die)
{
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.text = (char *)(uintptr_t)text;
    ask.code = code;
    ask.die = die;
    weir__test__echo__unary(service, &ask, on_answer, code || die ? NULL : (void *)(uintptr_t)text);
}

static pid_t start_child(struct weir_stream *end, struct weir_stream *other)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid > 0)
        return pid;
    const struct weir_rpc_served served = {.service = &echo_service, .implementation = &echo.base};
    struct weir_rpc_server *server;
    (void)weir_close(other);
    CHECK(weir_rpc_serve(&served, 1, NULL, &server) == 0);
    CHECK(weir_rpc_serve_stream(server, end, 0) == 0);
    weir_rpc_server_close(server);
    exit(0);
}

static int end_of(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

int main(void)
{
    struct weir_stream *ends[2];
    struct weir_rpc_channel *channel;
    ProtobufCService *child;
    const struct weir_rpc_options options = {.timeout_ms = 20000};
    ask_it(&echo.base, "here", 0, false);
    CHECK(answers == 1 && number == (unsigned)getpid());
    CHECK(weir_rpc_last(&echo.base)->code == WEIR_RPC_OK);

    CHECK(weir_pair(ends) == 0);
    pid_t pid = start_child(ends[1], ends[0]);
    (void)weir_close(ends[1]);
    CHECK(weir_rpc_over(ends[0], &options, &channel) == 0);
    CHECK(weir_rpc_stub(channel, &echo_service, &child) == 0);
    ask_it(child, "there", 0, false);
    CHECK(answers == 2 && number == (unsigned)pid);
    ask_it(child, "there", WEIR_RPC_ABORTED, false);
    CHECK(answers == 3 && weir_rpc_last(child)->code == WEIR_RPC_ABORTED);
    CHECK(strcmp(weir_rpc_last(child)->message, "no") == 0);
    protobuf_c_service_destroy(child);
    CHECK(weir_rpc_close(channel) == 0);
    CHECK(end_of(pid) == 0);

    CHECK(weir_pair(ends) == 0);
    pid = start_child(ends[1], ends[0]);
    (void)weir_close(ends[1]);
    CHECK(weir_rpc_over(ends[0], &options, &channel) == 0);
    CHECK(weir_rpc_stub(channel, &echo_service, &child) == 0);
    time_t before = time(NULL);
    ask_it(child, "last words", 0, true);
    CHECK(answers == 4 && weir_rpc_last(child)->code == WEIR_RPC_UNAVAILABLE);
    CHECK(time(NULL) - before < 10);
    protobuf_c_service_destroy(child);
    CHECK(weir_rpc_close(channel) == 0);
    CHECK(WIFSIGNALED(end_of(pid)));
    return 0;
}
