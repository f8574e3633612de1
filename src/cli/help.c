/* --help of a sub-command, from its rows. */
#include "cli/options.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INDENT 2

static void heading(const char *text)
{
    bool bold = terminal_colour(STDOUT_FILENO);
    printf("\n%s%s%s\n", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "");
}

/* Words from column `column` on, wrapped at `width`; the first line starts where the cursor is. */
static void wrapped(const char *text, unsigned column, unsigned width)
{
    unsigned at = column;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (at > column && at + 1 + len > width) {
            printf("\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)len, text);
        at += (unsigned)len;
        text += len;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static int label(const struct option_row *row, char *text, size_t size)
{
    char letter[8] = "";
    if (row->letter)
        snprintf(letter, sizeof(letter), "-%c, ", row->letter);
    return snprintf(text, size, "%s--%s%s%s", letter, row->name, row->value ? " " : "",
                    row->value ? row->value : "");
}

static void print_row(const struct option_row *row, unsigned column, unsigned width)
{
    char text[80];
    int len = label(row, text, sizeof(text));
    printf("%*s%s", INDENT, "", text);
    if (width < column + 24) {
        printf("\n%*s", 3 * INDENT, "");
        wrapped(row->help, 3 * INDENT, width);
        return;
    }
    printf("%*s", (int)column - INDENT - len, "");
    wrapped(row->help, column, width);
}

/* Each line of a text that has several, indented. */
static void print_lines(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        printf("%*s%.*s\n", INDENT, "", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

void options_help(const struct command *command)
{
    static const struct option_row help = {
        .name = "help", .letter = 'h', .help = "show this and exit"};
    unsigned width = terminal_width(STDOUT_FILENO), column = 0;
    for (size_t i = 0; i <= command->option_count; i++) {
        char text[80];
        unsigned len = (unsigned)label(i < command->option_count ? &command->options[i] : &help,
                                       text, sizeof(text));
        column = column > len ? column : len;
    }
    column += 2 * INDENT;
    printf("usage: weir %s %s\n\n", command->name, command->synopsis);
    wrapped(command->summary, 0, width);
    heading("Options");
    for (size_t i = 0; i < command->option_count; i++)
        print_row(&command->options[i], column, width);
    print_row(&help, column, width);
    if (command->examples) {
        heading("Examples");
        print_lines(command->examples);
    }
    if (command->exits) {
        heading("Exit status");
        print_lines(command->exits);
    }
    printf("\nThe manual: man weir-%s\n", command->name);
}
