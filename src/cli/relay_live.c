/* How a relay is doing: a line that is redrawn, a line at the end, or an object for programs. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/relay.h"
#include "cli/terminal.h"
#include "load/amount.h"
#include "stream/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 1000

static const char *plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

static double each_second(uint64_t now, uint64_t then, uint64_t ns)
{
    return ns > 0 ? (double)(now - then) * 1e9 / (double)ns : 0;
}

/* One write, so that lines of workers do not come in between; it is cut where the terminal ends. */
static void draw(const struct relay_sums *now, const struct relay_sums *then, uint64_t ns)
{
    char line[240], open[AMOUNT_MAX], all[AMOUNT_MAX], there[AMOUNT_MAX], back[AMOUNT_MAX];
    struct text text;
    unsigned width = terminal_width(STDERR_FILENO);
    text_init(&text, line, width < sizeof(line) ? width : sizeof(line));
    text_fmt(&text, "%s now, %s so far; %s/s there, %s/s back; %" PRIu64 " %s",
             amount_count(open, now->open), amount_count(all, now->connections),
             amount_bytes(there, each_second(now->to_target, then->to_target, ns)),
             amount_bytes(back, each_second(now->to_client, then->to_client, ns)), now->errors,
             plural(now->errors, "error", "errors"));
    char shown[sizeof(line) + 16];
    int len = snprintf(shown, sizeof(shown), "\r\033[K%s", text_end(&text));
    (void)!write(STDERR_FILENO, shown, (size_t)len);
}

/* Stops are the relay's: it says when this ends. */
static void leave_stops_alone(void)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static _Noreturn void show(const struct relay_table *table, int alive)
{
    struct relay_sums then = {0}, now;
    uint64_t before = deadline_now();
    leave_stops_alone();
    while (wait_fd(alive, POLLIN, deadline_in(LOOK_MS)) == -ETIMEDOUT) {
        uint64_t at = deadline_now();
        relay_table_sum(table, &now);
        draw(&now, &then, at - before);
        then = now;
        before = at;
    }
    _exit(0);
}

struct relay_live relay_live_start(const struct relay_table *table)
{
    struct relay_live live = {.process = -1, .alive = -1};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return live;
    live.process = fork();
    if (live.process == 0) {
        close(ends[1]);
        show(table, ends[0]);
    }
    close(ends[0]);
    live.alive = ends[1];
    return live;
}

void relay_live_stop(struct relay_live *live)
{
    static const char clear[] = "\r\033[K";
    if (live->alive < 0)
        return;
    close(live->alive);
    while (live->process > 0 && waitpid(live->process, NULL, 0) < 0 && errno == EINTR)
        ;
    (void)!write(STDERR_FILENO, clear, sizeof(clear) - 1);
    live->alive = live->process = -1;
}

void relay_say_sums(const struct relay_sums *sums)
{
    complain(&command_relay,
             "%" PRIu64 " %s, %" PRIu64 " bytes there, %" PRIu64 " bytes back, %" PRIu64 " %s",
             sums->connections, plural(sums->connections, "connection", "connections"),
             sums->to_target, sums->to_client, sums->errors,
             plural(sums->errors, "error", "errors"));
}

void relay_json(const struct relay_sums *sums, uint64_t ns)
{
    printf("{\"connections\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"bytes_there\": %" PRIu64
           ", \"bytes_back\": %" PRIu64 ", \"seconds\": %" PRIu64 ".%03u}\n",
           sums->connections, sums->errors, sums->to_target, sums->to_client,
           (uint64_t)(ns / WEIR_NS_PER_S), (unsigned)(ns % WEIR_NS_PER_S / WEIR_NS_PER_MS));
}
