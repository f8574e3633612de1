#include "cli/tls_options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong_use(const struct command *command, const struct tls_options *options, bool wanted)
{
    if (!wanted)
        return usage_error(command, "TLS is asked for, but no listener has it: --listen %s",
                           strcmp(command->name, "serve") == 0 ? "https://127.0.0.1:8443"
                                                               : "tls:127.0.0.1:7000");
    if (options->certs.count == 0 && !options->dev)
        return usage_error(command, "TLS needs a certificate: --cert FILE --key FILE");
    if (options->keys.count > 0 && options->keys.count != options->certs.count)
        return usage_error(command, "%zu certificates but %zu keys: one --key for each --cert",
                           options->certs.count, options->keys.count);
    if (options->key_process && options->dev)
        return usage_error(command, "--key-process does not go with --tls-dev");
    if (options->key_process && options->keys.count == 0)
        return usage_error(command,
                           "--key-process needs each key in a file of its own: --key FILE");
    if (options->ocsp.count > options->certs.count)
        return usage_error(command,
                           "%zu certificates but %zu OCSP responses: one --ocsp for each --cert",
                           options->certs.count, options->ocsp.count);
    return 0;
}

/* The port of the first listener that speaks TLS; 0: it is not known before it listens. */
static unsigned https_port(const struct option_list *listen, const struct tls_setup *setup)
{
    for (size_t i = 0; i < listen->count; i++) {
        const char *colon = strrchr(listen->at[i], ':');
        if (setup->secure[i] && colon)
            return (unsigned)strtoul(colon + 1, NULL, 10);
    }
    return 0;
}

/* Of a web site: what plain listeners answer, and what secure ones add. */
static int set_site(const struct command *command, const struct tls_options *options,
                    const struct option_list *listen, struct tls_setup *setup,
                    struct weir_tls_options *tls)
{
    const struct weir_http *http = setup->service.config;
    if (options->hsts) {
        secure_stay(&setup->stay, http);
        tls->config = &setup->stay.http;
    }
    if (!options->redirect)
        return 0;
    unsigned port = https_port(listen, setup);
    if (port == 0)
        return usage_error(command, "--https-redirect needs the port's number: --listen "
                                    "https://HOST:8443");
    secure_redirect(&setup->redirect, http, port);
    for (size_t i = 0; i < listen->count; i++)
        setup->ways[i] = (struct weir_way){setup->service.protocol, &setup->redirect.http};
    return 0;
}

/* A web site's; NULL: it has none, or is none. */
static const struct weir_protocol *http2_of(const struct weir_service *inner)
{
    if (inner->protocol != &weir_http1)
        return NULL;
    return ((const struct weir_http *)inner->config)->http2;
}

static void say_key(void *arg, const char *text)
{
    const struct weir_helper *helper = arg;
    helper->say(helper, WEIR_REPORT_WARNING, text);
}

static int keep_keys(const struct weir_helper *helper, void *arg)
{
    const struct tls_setup *setup = arg;
    return weir_tls_keep_keys(setup->tls, helper->stop, say_key, (void *)helper);
}

/* It joins those the service has. */
static void set_beside(struct tls_setup *setup, struct weir_beside row)
{
    struct weir_service *service = &setup->service;
    unsigned count = service->beside_count;
    assert(count < sizeof(setup->beside) / sizeof(setup->beside[0]));
    for (unsigned i = 0; i < count && service->beside != setup->beside; i++)
        setup->beside[i] = service->beside[i];
    setup->beside[count] = row;
    service->beside = setup->beside;
    service->beside_count = count + 1;
}

static void look(void *arg, uint64_t mono_ns)
{
    weir_tls_look(arg, mono_ns);
}

/* One line, in one piece: several processes may have something to say. */
static void say_changed(void *arg, const char *text)
{
    const struct command *command = arg;
    complain(command, "%s", text);
}

static bool asks_for_tls(const struct tls_options *options)
{
    return options->dev || options->certs.count > 0 || options->keys.count > 0 ||
           options->client_ca || options->key_process || options->ocsp.count > 0 ||
           options->redirect || options->hsts;
}

void tls_setup_listen(struct tls_setup *setup, struct option_list *listen)
{
    for (size_t i = 0; i < listen->count; i++) {
        setup->secure[i] = strncmp(listen->at[i], "tls:", 4) == 0;
        if (!setup->secure[i])
            continue;
        snprintf(setup->names[i], sizeof(setup->names[i]), "tcp:%s", listen->at[i] + 4);
        listen->at[i] = setup->names[i];
    }
}

/* What the files make of `tls`. */
static int new_server(const struct command *command, const struct tls_options *options,
                      const char *dev_cert, struct weir_tls_options *tls, struct weir_tls **out)
{
    struct weir_tls_cert certs[OPTION_LIST_MAX + 1];
    char why[400];
    size_t count = 0;
    for (size_t i = 0; i < options->certs.count; i++)
        certs[count++] = (struct weir_tls_cert){
            options->certs.at[i], options->keys.count > 0 ? options->keys.at[i] : NULL};
    if (dev_cert)
        certs[count++] = (struct weir_tls_cert){dev_cert, NULL};
    tls->certs = certs;
    tls->cert_count = count;
    tls->authorities = options->client_ca;
    if (weir_tls_new(tls, out, why, sizeof(why)) == 0)
        return 0;
    complain(command, "%s", why);
    return 1;
}

int tls_options_server(const struct command *command, const struct tls_options *options,
                       struct weir_tls **out)
{
    struct weir_tls_options tls = {.alpn = NULL};
    if (options->key_process || options->ocsp.count > 0)
        return usage_error(command, "--key-process and --ocsp are for a server: --listen");
    int status = wrong_use(command, options, true);
    return status != 0 ? status : new_server(command, options, NULL, &tls, out);
}

/* HTTP, the newest first: "http/1.0" is what some clients offer that are told to speak that version (curl -0), and no other. */
static void set_ways(struct weir_tls_options *tls, const struct weir_protocol *h2,
                     struct weir_tls_way ways[2])
{
    size_t count = 0;
    if (!tls->alpn)
        return;
    if (h2)
        ways[count++] = (struct weir_tls_way){"h2", h2, tls->config};
    ways[count++] = (struct weir_tls_way){tls->alpn, tls->protocol, tls->config};
    tls->alpn = "http/1.0";
    tls->ways = ways;
    tls->way_count = count;
}

int tls_setup(const struct command *command, const struct tls_options *options,
              const struct weir_service *inner, const struct option_list *listen, const char *alpn,
              struct tls_setup *setup)
{
    bool wanted = false;
    setup->service = *inner;
    for (size_t i = 0; i < listen->count; i++)
        wanted |= setup->secure[i];
    if (!wanted && !asks_for_tls(options))
        return 0;
    int status = wrong_use(command, options, wanted);
    if (status != 0)
        return status;
    for (size_t i = 0; i < options->ocsp.count; i++)
        setup->ocsp[i] = strcmp(options->ocsp.at[i], "off") != 0 ? options->ocsp.at[i] : NULL;
    struct weir_tls_options tls = {.ocsp = setup->ocsp,
                                   .key_process = options->key_process,
                                   .say = say_changed,
                                   .say_arg = (void *)command,
                                   .alpn = alpn,
                                   .protocol = inner->protocol,
                                   .config = inner->config};
    status = set_site(command, options, listen, setup, &tls);
    if (status != 0)
        return status;
    struct weir_tls_way ways[2];
    set_ways(&tls, http2_of(inner), ways);
    status = new_server(command, options, setup->dev_cert, &tls, &setup->tls);
    if (status != 0)
        return status;
    for (size_t i = 0; i < listen->count; i++)
        if (setup->secure[i])
            setup->ways[i] = (struct weir_way){&weir_tls_machine, setup->tls};
    setup->service.ways = setup->ways;
    setup->service.before_child = look;
    setup->service.before_child_arg = setup->tls;
    if (options->key_process)
        set_beside(setup, (struct weir_beside){"the process that keeps keys", keep_keys, setup});
    if (setup->renews.run)
        set_beside(setup, setup->renews);
    return 0;
}

void tls_setup_done(struct tls_setup *setup)
{
    weir_tls_free(setup->tls);
}
