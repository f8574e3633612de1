#include "cli/tls_client.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

/* What would be read otherwise becomes %XX. */
static void add_word(struct text *t, char before, const char *key, const char *value)
{
    text_char(t, before);
    text_str(t, key);
    for (const char *at = value; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (isalnum(c) || strchr("/._-+:@,=~", c))
            text_char(t, *at);
        else
            text_fmt(t, "%%%02X", c);
    }
}

int tls_client_name(const struct command *command, const struct tls_client_options *options,
                    const char *name, char text[TLS_CLIENT_NAME_MAX], const char **out)
{
    const char *const words[][2] = {{"ca=", options->ca},
                                    {"insecure", options->insecure ? "" : NULL},
                                    {"cert=", options->cert},
                                    {"key=", options->key}};
    struct text t;
    char before = strchr(name, '?') ? '&' : '?';
    *out = name;
    if (strncmp(name, "tls:", 4) != 0) {
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (words[i][1])
                return usage_error(command, "--%.*s is for tls:HOST:PORT, not for %s",
                                   (int)strcspn(words[i][0], "="), words[i][0], name);
        return 0;
    }
    text_init(&t, text, TLS_CLIENT_NAME_MAX);
    text_str(&t, name);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!words[i][1])
            continue;
        add_word(&t, before, words[i][0], words[i][1]);
        before = '&';
    }
    *out = text_end(&t);
    return t.cut ? usage_error(command, "the names of the files are too long together") : 0;
}

void tls_client_warn(const struct command *command, const struct tls_client_options *options)
{
    if (options->insecure)
        complain(command, "--insecure: whoever answers is believed, so somebody in the middle can "
                          "read and change everything that is said");
}
