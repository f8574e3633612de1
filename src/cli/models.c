/* weir models: the table of concurrency models. */
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/terminal.h"

#include <weir/server.h>

#include <stdio.h>
#include <unistd.h>

#define COLUMNS  7
#define ROWS_MAX 33

struct models_values {
    bool json;
};

static const struct option_row rows[] = {
    {.name = "json",
     .kind = OPTION_FLAG,
     .help = "as JSON, for programs",
     .offset = offsetof(struct models_values, json)},
};

static void print_table(void)
{
    const char *cells[ROWS_MAX][COLUMNS] = {
        {"model", "who looks after a connection", "place", "an idle persistent connection",
         "a crash takes with it", "ready replies", "a connection costs"}};
    unsigned count = 1;
    const struct weir_model_info *info;
    for (; count < ROWS_MAX && (info = weir_model(count - 1)); count++) {
        const char *row[COLUMNS] = {info->name, info->who,   info->place,
                                    info->idle, info->crash, info->caches ? "kept" : "not kept",
                                    info->cost};
        for (unsigned c = 0; c < COLUMNS; c++)
            cells[count][c] = row[c];
    }
    table_print(&cells[0][0], count, COLUMNS, terminal_width(STDOUT_FILENO),
                terminal_colour(STDOUT_FILENO));
}

/* 0 stands for what the machine decides. */
static void print_number(const char *name, unsigned number)
{
    if (number)
        printf(", \"%s\": %u", name, number);
    else
        printf(", \"%s\": null", name);
}

/* Our own texts: nothing in them needs escaping. */
static void print_json(void)
{
    const struct weir_model_info *info;
    for (unsigned i = 0; (info = weir_model(i)); i++) {
        printf("%s{\"name\": \"%s\", \"who\": \"%s\", \"place\": \"%s\", \"idle\": \"%s\"",
               i ? ",\n " : "[", info->name, info->who, info->place, info->idle);
        printf(", \"crash\": \"%s\", \"cost\": \"%s\", \"caches\": %s, \"talk\": %s", info->crash,
               info->cost, info->caches ? "true" : "false", info->talk ? "true" : "false");
        print_number("workers", info->workers);
        print_number("max_connections", info->max_connections);
        putchar('}');
    }
    puts("]");
}

static int run(void *arg, int argc, char **argv)
{
    const struct models_values *values = arg;
    if (argc > 0)
        return usage_error(&command_models, "'%s' is too much: it takes options only", argv[0]);
    if (values->json)
        print_json();
    else
        print_table();
    return 0;
}

const struct command command_models = {
    .name = "models",
    .synopsis = "[--json]",
    .summary = "show the concurrency models and what each costs",
    .examples = "weir models\n"
                "weir models --json | jq -r '.[].name'",
    .exits = "0  always, if it could be written\n"
             "2  wrong usage",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(*rows),
    .values_size = sizeof(struct models_values),
    .run = run,
};
