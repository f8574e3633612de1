#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void (*listener)(void *arg, const char *text);
static void *listener_arg;

void complain_to(void (*hear)(void *arg, const char *text), void *arg)
{
    listener = hear;
    listener_arg = arg;
}

/* One write, so that lines of several processes do not mix; a line stays one line whatever it quotes. */
static void say(const struct command *command, const char *format, va_list args, bool help)
{
    char text[1024], line[1200];
    vsnprintf(text, sizeof(text), format, args);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    if (listener) {
        listener(listener_arg, text);
        return;
    }
    const char *space = command ? " " : "", *name = command ? command->name : "";
    if (help)
        snprintf(line, sizeof(line), "weir%s%s: %s (weir%s%s --help shows how)\n", space, name,
                 text, space, name);
    else
        snprintf(line, sizeof(line), "weir%s%s: %s\n", space, name, text);
    fputs(line, stderr);
}

void complain(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args, false);
    va_end(args);
}

int usage_error(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args, true);
    va_end(args);
    return 2;
}
