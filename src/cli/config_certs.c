/* The certificates of a configuration: those of the top, then those of its sites. */
#include "cli/config.h"

#include <string.h>

/* In this block itself: a site begins as a copy of the top, lines included. */
static bool said(const struct config *config, const struct config_level *level, const char *name)
{
    size_t row = (size_t)(serve_row(name) - serve_rows);
    return level->lines[row] != config->top.lines[row];
}

static int add_certs(const struct config *config, const struct command *command,
                     const struct config_level *level, struct tls_options *out)
{
    const struct tls_options *tls = &level->values.tls;
    unsigned line = level->lines[serve_row("cert") - serve_rows];
    /* Keys and responses further out are those of the certificates there. */
    size_t keys = said(config, level, "key") ? tls->keys.count : 0;
    size_t ocsp = said(config, level, "ocsp") ? tls->ocsp.count : 0;
    if (keys > 0 && keys != tls->certs.count)
        return config_wrong(config, command, line, "cert",
                            "%zu certificates but %zu keys: one key for each cert",
                            tls->certs.count, keys);
    if (ocsp > tls->certs.count)
        return config_wrong(config, command, line, "cert",
                            "%zu certificates but %zu OCSP responses: one ocsp for each cert",
                            tls->certs.count, ocsp);
    if (tls->certs.count > OPTION_LIST_MAX - out->certs.count)
        return config_wrong(config, command, line, "cert", "more than %d certificates in all",
                            OPTION_LIST_MAX);
    for (size_t i = 0; i < tls->certs.count; i++) {
        out->certs.at[out->certs.count++] = tls->certs.at[i];
        out->keys.at[out->keys.count++] = keys > 0 ? tls->keys.at[i] : tls->certs.at[i];
        out->ocsp.at[out->ocsp.count++] = i < ocsp ? tls->ocsp.at[i] : "off";
    }
    return 0;
}

int config_certs(const struct config *config, const struct command *command,
                 struct tls_options *out)
{
    const struct config_level *top = &config->top;
    bool own = false;
    for (size_t i = 0; i < top->inner_count; i++)
        own |= said(config, &top->inner[i], "cert");
    *out = top->values.tls;
    if (!own)
        return 0;
    size_t keys = out->keys.count, ocsp = out->ocsp.count;
    if (keys > 0 && keys != out->certs.count)
        return config_wrong(config, command, top->lines[serve_row("cert") - serve_rows], "cert",
                            "%zu certificates but %zu keys: one key for each cert",
                            out->certs.count, keys);
    for (size_t i = keys; i < out->certs.count; i++)
        out->keys.at[out->keys.count++] = out->certs.at[i];
    for (size_t i = ocsp; i < out->certs.count; i++)
        out->ocsp.at[out->ocsp.count++] = "off";
    int status = 0;
    for (size_t i = 0; i < top->inner_count && status == 0; i++)
        if (said(config, &top->inner[i], "cert"))
            status = add_certs(config, command, &top->inner[i], out);
    return status;
}
