/* weir echo: the small protocols on any listener, under any model. */
#include "cli/commands.h"
#include "cli/server_options.h"
#include "cli/tls_options.h"

#include <weir/protocols.h>

#include <stdio.h>
#include <string.h>

struct echo_values {
    struct server_options server;
    struct tls_options tls;
    const char *protocol;
    unsigned idle_s;
};

static const struct option_row rows[] = {
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_LIST,
     .value = "ENDPOINT",
     .help =
         "where to wait for clients (default tcp:127.0.0.1:7000); tls:HOST:PORT with --cert; can be given several times; "
         "or -: one conversation over standard input and output",
     .offset = offsetof(struct echo_values, server.listen)},
    {.name = "protocol",
     .letter = 'p',
     .kind = OPTION_TEXT,
     .value = "NAME",
     .help = "echo (default), discard, or line or frame, which send whole messages back",
     .offset = offsetof(struct echo_values, protocol)},
    {.name = "idle-timeout",
     .kind = OPTION_COUNT,
     .value = "SECONDS",
     .help = "silence that ends a connection (default 60)",
     .offset = offsetof(struct echo_values, idle_s),
     .min = 1,
     .max = 86400},
    SERVER_OPTION_ROWS(echo_values, server),
    TLS_OPTION_ROWS(echo_values, tls),
};

/* What runs, by the name it has on the command line. */
struct choice {
    const char *name;
    const struct weir_protocol *protocol;
    const void *config;
};

static int serve(const struct echo_values *values, const struct choice *choice)
{
    struct option_list listen = values->server.listen;
    if (listen.count == 0)
        listen = (struct option_list){.at = {"tcp:127.0.0.1:7000"}, .count = 1};
    const struct weir_service service = {.name = choice->name,
                                         .protocol = choice->protocol,
                                         .config = choice->config,
                                         .client_first = true,
                                         .threads = true};
    struct tls_setup setup = {.tls = NULL};
    tls_setup_listen(&setup, &listen);
    const struct announcement announcement = {.what = choice->name, .secure = setup.secure};
    int status = tls_setup(&command_echo, &values->tls, &service, &listen, NULL, &setup);
    if (status == 0)
        status = server_options_run(&command_echo, &values->server, &setup.service, &listen,
                                    &announcement);
    tls_setup_done(&setup);
    return status;
}

static int run(void *arg, int argc, char **argv)
{
    const struct echo_values *values = arg;
    unsigned idle_ms = values->idle_s * 1000;
    const struct weir_quiet_options quiet = {.idle_ms = idle_ms};
    const struct weir_line_options line = {.idle_ms = idle_ms};
    const struct weir_frame_options frame = {.idle_ms = idle_ms};
    const struct choice choices[] = {{"echo", &weir_echo, &quiet},
                                     {"discard", &weir_discard, &quiet},
                                     {"line", &weir_line, &line},
                                     {"frame", &weir_frame, &frame}};
    if (argc > 0)
        return usage_error(&command_echo, "'%s' is not an option; --listen %s waits there", argv[0],
                           argv[0]);
    const char *name = values->protocol ? values->protocol : "echo";
    for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
        if (strcmp(choices[i].name, name) == 0)
            return serve(values, &choices[i]);
    return usage_error(&command_echo, "no protocol is called '%s': echo, discard, line or frame",
                       name);
}

const struct command command_echo = {
    .name = "echo",
    .synopsis = "[options]",
    .summary = "send back what clients send",
    .examples = "weir echo\n"
                "weir echo --listen tcp:127.0.0.1:7000 --listen unix:/tmp/echo.sock --model pool\n"
                "weir echo --protocol line --model thread\n"
                "weir echo --listen tls:127.0.0.1:7000 --cert cert.pem --key key.pem\n"
                "weir connect 'exec:weir echo --listen -'",
    .exits = SERVER_EXITS,
    .options = rows,
    .option_count = sizeof(rows) / sizeof(*rows),
    .values_size = sizeof(struct echo_values),
    .run = run,
};
