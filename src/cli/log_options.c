#include "cli/log_options.h"

#include <string.h>

int log_options_read(const struct command *command, const struct log_options *options,
                     struct account_options *out)
{
    char why[600];
    *out = (struct account_options){
        .logs = {.access = options->access,
                 .format = options->format,
                 .mask = options->mask,
                 .error = options->error},
        .status = options->status,
        .allow = {options->allow.at, options->allow.count},
        .server_timing = options->server_timing,
    };
    if (account_options_wrong(out, why, sizeof(why)))
        return usage_error(command, "%s", why);
    if (options->allow.count > 0 && !options->status)
        return usage_error(command, "--status-allow is for the figures of --status PATH");
    return 0;
}

bool log_options_cannot_open(const struct command *command, const struct log_options *options)
{
    const char *const logs[][2] = {{"access log", options->access}, {"error log", options->error}};
    for (size_t i = 0; i < 2; i++) {
        int rc = log_sink_check(logs[i][1]);
        if (rc == 0)
            continue;
        complain(command,
                 "cannot write the %s %s: %s (name a file that may be written, -, syslog, a "
                 "program after |, or off)",
                 logs[i][0], logs[i][1], strerror(-rc));
        return true;
    }
    return false;
}

bool log_options_cannot_write(const struct command *command, const char *name)
{
    const struct log_options options = {.access = name};
    return log_options_cannot_open(command, &options);
}

bool log_options_use_output(const struct log_options *options)
{
    return log_sink_kind(options->access) == LOG_SINK_STANDARD;
}
