/* weir pipe: stages joined by pipes, their ends told apart, and which of them is the slow one. */
#include "cli/commands.h"
#include "cli/pipe_run.h"
#include "cli/quantity.h"
#include "load/amount.h"

#include <weir/process.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With a terminal the stages stay in the shell's job, for its keys and for reading from it. Without one they get a group of their
 * own, so that a stop reaches what they have started, too. */
static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int read_meter(struct pipe_run *r)
{
    const struct pipe_values *v = r->values;
    const char *meter = v->meter ? v->meter : "auto";
    bool always = strcmp(meter, "always") == 0, count = strcmp(meter, "count") == 0;
    bool never = strcmp(meter, "never") == 0;
    if (!always && !count && !never && strcmp(meter, "auto") != 0)
        return usage_error(&command_pipe, "--meter is auto, always, count or never, not '%s'",
                           meter);
    bool live = always || (!count && !never && !v->quiet && isatty(STDERR_FILENO));
    if (live || count)
        r->options.meter = v->bytes ? WEIR_METER_BYTES : WEIR_METER_LINES;
    if (live && !v->quiet)
        r->show = screen_can(STDERR_FILENO) ? PIPE_SHOW_SCREEN : PIPE_SHOW_LINES;
    return 0;
}

static int read_values(struct pipe_run *r)
{
    const struct pipe_values *v = r->values;
    uint64_t most = LIMIT_LOAD_DURATION_S * WEIR_NS_PER_S, bytes = 0;
    r->grace_ns = LIMIT_PIPE_GRACE_MS * WEIR_NS_PER_MS;
    if (v->timeout && (amount_read_time(v->timeout, &r->timeout_ns) < 0 || r->timeout_ns == 0 ||
                       r->timeout_ns > most))
        return usage_error(&command_pipe, "--timeout takes a time like 10, 500ms or 2m, not '%s'",
                           v->timeout);
    if (v->grace && (amount_read_time(v->grace, &r->grace_ns) < 0 || r->grace_ns > most))
        return usage_error(&command_pipe, "--grace takes a time like 10, 500ms or 0, not '%s'",
                           v->grace);
    if (v->size && (quantity_bytes(v->size, &bytes) < 0 || bytes < LIMIT_PIPE_SIZE_MIN ||
                    bytes > LIMIT_PIPELINE_PIPE_BYTES))
        return usage_error(&command_pipe, "--pipe-size takes a size from 4K to 1M, not '%s'",
                           v->size);
    r->options.pipe_bytes = (size_t)bytes;
    return read_meter(r);
}

static int check_stages(const struct pipe_run *r)
{
    char label[PIPE_WORDS_SIZE];
    if (r->count == 0 || r->count > LIMIT_PIPELINE_STAGES)
        return usage_error(&command_pipe, "needs 1 to %d stages, as in: weir pipe -- ls 'wc -l'",
                           LIMIT_PIPELINE_STAGES);
    for (size_t i = 0; i < r->count; i++) {
        char **words;
        int rc = weir_words(r->commands[i], &words);
        if (rc == 0)
            free(words);
        if (rc == -EINVAL)
            return usage_error(&command_pipe,
                               "stage %zu, '%s', is empty or a quote in it is not closed", i + 1,
                               pipe_label(r->commands[i], PIPE_LABEL, label));
    }
    return 0;
}

static int run(void *values, int argc, char **argv)
{
    struct pipe_run *r = calloc(1, sizeof(*r));
    if (!r) {
        complain(&command_pipe, "%s", strerrordesc_np(ENOMEM));
        return 1;
    }
    r->values = values;
    r->commands = (const char *const *)argv;
    r->count = (size_t)argc;
    r->options.new_group = !has_terminal();
    r->options.die_signal = SIGTERM;
    int status = check_stages(r);
    if (status == 0)
        status = read_values(r);
    if (status == 0)
        status = pipe_run(r);
    free(r);
    return status;
}

#define AT(member) offsetof(struct pipe_values, member)

static const struct option_row options[] = {
    {"meter", 'm', OPTION_TEXT, "WHEN",
     "count what goes through each pipe: auto (on a terminal, live), always (elsewhere a line a second), count (in the "
     "summary only), never (auto)",
     AT(meter), 0, 0, OPTION_COMMAND, false},
    {"bytes", 'b', OPTION_FLAG, NULL, "count bytes, not lines: they are not looked at then",
     AT(bytes), 0, 0, OPTION_COMMAND, false},
    {"timeout", 't', OPTION_TEXT, "TIME", "stop the stages after so long: 10, 500ms, 2m (never)",
     AT(timeout), 0, 0, OPTION_COMMAND, false},
    {"grace", 'g', OPTION_TEXT, "TIME",
     "from SIGTERM to SIGKILL for stages that have to stop (5 seconds)", AT(grace), 0, 0,
     OPTION_COMMAND, false},
    {"sigpipe-fails", 0, OPTION_FLAG, NULL,
     "a stage that SIGPIPE ended because nobody read on has failed", AT(sigpipe_fails), 0, 0,
     OPTION_COMMAND, false},
    {"pipe-size", 's', OPTION_TEXT, "SIZE",
     "of each pipe, 4K to 1M (1M, less with many stages, and where allowed)", AT(size), 0, 0,
     OPTION_COMMAND, false},
    {"json", 'j', OPTION_FLAG, NULL, "the summary as one line of JSON", AT(json), 0, 0,
     OPTION_COMMAND, false},
    {"report", 'o', OPTION_TEXT, "FILE", "write the summary there (standard error)", AT(report), 0,
     0, OPTION_COMMAND, false},
    {"quiet", 'q', OPTION_FLAG, NULL, "no live meter and no summary; a failure is one line",
     AT(quiet), 0, 0, OPTION_COMMAND, false},
};

const struct command command_pipe = {
    .name = "pipe",
    .synopsis = "[options] -- STAGE [STAGE ...]",
    .summary = "join programs by pipes, and see which of them is the slow one",
    .examples =
        "weir pipe -- 'find / -name \"*.conf\"' 'grep -v proc' 'wc -l'\n"
        "weir pipe --meter always -- 'cat access.log' 'sort -u' 'gzip -9' > users.gz\n"
        "weir pipe --timeout 30 --json --report run.json -- producer 'sh -c \"a; b\"' consumer\n",
    .exits =
        "0    all stages ended well; being cut off by SIGPIPE is well\n"
        "N    of the last stage that did not: its exit status, or 128 and its signal's number\n"
        "1    it could not start or go on, or the summary could not be written\n"
        "2    wrong usage\n"
        "124  stopped by --timeout\n"
        "126  a stage could not be executed\n"
        "127  a stage was not found\n"
        "143  stopped by SIGTERM (129: SIGHUP)\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .values_size = sizeof(struct pipe_values),
    .run = run,
};
