/* weir: one program, its sub-commands in one table. */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_serve, &command_echo,   &command_connect, &command_call,
    &command_relay, &command_pipe,   &command_spool,   &command_load,
    &command_bench, &command_models, &command_config,  &command_passwd,
};

#define COUNT (sizeof(commands) / sizeof(*commands))

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* Output that could not be written is a failure, too: a full disk, a closed pipe. */
static int flushed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    complain(NULL, "cannot write to standard output: %s", strerror(errno));
    return status ? status : 1;
}

static int help(void)
{
    puts("usage: weir COMMAND [options]\n\n"
         "Processes that talk: a web server, and streams between any two ends.\n");
    for (size_t i = 0; i < COUNT; i++)
        printf("  %-8s  %s\n", commands[i]->name, commands[i]->summary);
    puts("\nTry:\n"
         "  weir serve DIR        a web site at http://127.0.0.1:8080/\n"
         "  weir COMMAND --help   options, examples, exit statuses (or: weir help COMMAND)\n"
         "  weir --version\n\n"
         "The manual: man weir");
    return flushed(0);
}

static int run(const struct command *command, int argc, char **argv)
{
    void *values = calloc(1, command->values_size ? command->values_size : 1);
    if (!values) {
        complain(command, "%s", strerror(ENOMEM));
        return 1;
    }
    if (command->defaults)
        command->defaults(values);
    int count = 0, status = 2;
    enum parsed parsed = options_parse(command, values, argc, argv, &count);
    if (parsed == PARSED_RUN)
        status = command->run(values, count, argv);
    if (parsed == PARSED_HELP) {
        options_help(command);
        status = 0;
    }
    free(values);
    return flushed(status);
}

static int unknown(const char *name)
{
    struct suggest suggest = {.word = name};
    for (size_t i = 0; i < COUNT; i++)
        suggest_see(&suggest, commands[i]->name);
    if (suggest.best)
        return usage_error(NULL, "no command is called '%s'; did you mean '%s'?", name,
                           suggest.best);
    return usage_error(NULL, "no command is called '%s'", name);
}

static int help_on(int argc, char **argv)
{
    if (argc < 1)
        return help();
    const struct command *command = find(argv[0]);
    if (!command)
        return unknown(argv[0]);
    options_help(command);
    return flushed(0);
}

/* Nothing that is opened later may get the number of a standard stream that is closed here: what is said there would go into it.
 * Like the closed one, what is opened instead can be neither read nor written. */
static int hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_PATH) < 0)
            return -errno;
    return 0;
}

int main(int argc, char **argv)
{
    int rc = hold_standard();
    if (rc < 0) {
        complain(NULL, "cannot open /dev/null: %s", strerrordesc_np(-rc));
        return 1;
    }
    if (argc < 2)
        return usage_error(NULL, "a command is needed, as in weir serve");
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help();
    if (strcmp(word, "help") == 0)
        return help_on(argc - 2, argv + 2);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts("weir " WEIR_VERSION);
        return flushed(0);
    }
    const struct command *command = find(word);
    return command ? run(command, argc - 2, argv + 2) : unknown(word);
}
