/* weir serve: a web site. */
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/serve_options.h"
#include "cli/tls_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_DEFAULT "tcp:127.0.0.1:8080"
#define SECURE_DEFAULT "tcp:127.0.0.1:8443"
#define NAME_MAX_BYTES 300

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool is_https(const char *name)
{
    return strncasecmp(name, "https://", 8) == 0;
}

/* Where web people say http://HOST[:PORT]/, streams say tcp:HOST:PORT. Other names are as they are. */
static const char *endpoint_of(const char *name, char *text, size_t size)
{
    if (is_number(name)) {
        snprintf(text, size, "tcp:127.0.0.1:%s", name);
        return text;
    }
    bool secure = is_https(name);
    if (strncasecmp(name, "http://", 7) != 0 && !secure)
        return name;
    const char *host = name + (secure ? 8 : 7);
    int len = (int)strcspn(host, "/");
    const char *bracket = memchr(host, ']', (size_t)len);
    const char *colon = memchr(bracket ? bracket : host, ':', (size_t)len);
    bool port = colon && colon < host + len;
    snprintf(text, size, "tcp:%.*s%s", len, host, port ? "" : secure ? ":443" : ":80");
    return text;
}

/* And back. */
static const char *show(const char *listener, char *text, size_t size)
{
    if (strncmp(listener, "tcp:", 4) != 0)
        return listener;
    snprintf(text, size, "http://%s/", listener + 4);
    return text;
}

static bool opens(const char *name, int flags)
{
    int fd = open(name, flags | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The root's fault, or else that of a file that was named. */
static int cannot_open(const struct serve_values *values, const struct site_options *options,
                       int error)
{
    const struct folder_options *folder = &options->folder;
    bool root = opens(options->root, O_PATH | O_DIRECTORY);
    if (options->out_wrong && options->out_wrong->why[0])
        complain(&command_serve, "%s", options->out_wrong->why);
    else if (root && folder->coding_cache &&
             (error == EPERM || !opens(folder->coding_cache, O_DIRECTORY)))
        complain(&command_serve, "cannot keep coded files in %s: %s", folder->coding_cache,
                 error == EPERM ? "it must belong to this user, and nobody else may write to it"
                                : strerror(error));
    else if (root && folder->mime_types && strcmp(folder->mime_types, "off") != 0 &&
             !opens(folder->mime_types, O_RDONLY))
        complain(&command_serve, "cannot read the types in %s: %s (name a file, or off)",
                 folder->mime_types, strerror(error));
    else if (error == ENOSYS)
        complain(&command_serve, "cannot serve %s: Linux 5.6 or later is needed (openat2)",
                 options->root);
    else if (!root || error == ENOMEM || !log_options_cannot_open(&command_serve, &values->log))
        complain(&command_serve, "cannot serve %s: %s (name a folder that may be read)",
                 options->root, strerror(error));
    return 1;
}

static bool starts(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_local(const char *name)
{
    static const char *const local[] = {"127.", "[::1]", "localhost:", "unix:", "shm:", "fd:"};
    name += starts(name, "tcp:") ? 4 : 0;
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        if (starts(name, local[i]))
            return true;
    return strcmp(name, "-") == 0;
}

/* Can other machines come to a listener that speaks no TLS? */
static bool reached_plainly(const struct option_list *listen, const struct tls_setup *setup)
{
    bool plain = false;
    for (size_t i = 0; i < listen->count; i++)
        plain |= !setup->secure[i] && !is_local(listen->at[i]);
    return plain;
}

static void also_log(void *arg, enum weir_report kind, const char *text)
{
    site_report(arg, kind, text);
}

static bool cannot_log(const struct serve_values *values, const struct site_options *options)
{
    bool told = log_options_cannot_open(&command_serve, &values->log);
    for (size_t i = 0; options->sites && i < options->sites->count && !told; i++)
        told = log_options_cannot_write(&command_serve, options->sites->at[i].access_log);
    return told;
}

static int serve(const struct serve_values *values, const struct config *config,
                 const struct site_options *options, const struct option_list *listen,
                 struct tls_setup *setup)
{
    char what[NAME_MAX_BYTES];
    struct site *site;
    int rc = site_open(options, &site);
    if (rc < 0 && config && !cannot_log(values, options))
        return config_cannot_open(config, &command_serve, -rc);
    if (rc < 0)
        return config ? 1 : cannot_open(values, options, -rc);
    if (!site_codes(site) && !values->files.neighbours && !values->server.quiet &&
        !(values->files.coding && strcmp(values->files.coding, "off") == 0))
        complain(&command_serve,
                 "no folder for coded files can be made in /tmp or $TMPDIR: nothing "
                 "is coded on the fly (name one with --coding-cache)");
    if (options->sites && !values->server.quiet)
        guard_options_warn(&command_serve, options->sites, reached_plainly(listen, setup));
    snprintf(what, sizeof(what), "serving %s", options->root);
    const struct announcement announcement = {
        .what = what, .show = show, .also = also_log, .arg = site, .secure = setup->secure};
    int status =
        tls_setup(&command_serve, &values->tls, site_service(site), listen, "http/1.1", setup);
    if (status == 0)
        status = server_options_run(&command_serve, &values->server, &setup->service, listen,
                                    &announcement);
    tls_setup_done(setup);
    site_close(site);
    return status;
}

/* Lines of a log between answers would be taken for answers. */
static bool log_among_answers(const struct serve_values *values)
{
    const struct option_list *listen = &values->server.listen;
    return log_options_use_output(&values->log) && listen->count == 1 &&
           strcmp(listen->at[0], "-") == 0;
}

static void set_listen(const struct option_list *given, bool dev, char names[][NAME_MAX_BYTES],
                       struct option_list *out, struct tls_setup *setup)
{
    *out = (struct option_list){.at = {dev ? SECURE_DEFAULT : LISTEN_DEFAULT},
                                .count = given->count ? given->count : 1};
    setup->secure[0] = dev;
    for (size_t i = 0; i < given->count; i++) {
        setup->secure[i] = is_https(given->at[i]);
        out->at[i] = endpoint_of(given->at[i], names[i], NAME_MAX_BYTES);
    }
}

static int renew(const struct weir_helper *helper, void *arg)
{
    tls_dev_renew(&command_serve, arg, helper->stop);
    return 0;
}

/* With a certificate of the local authority. */
static int serve_dev(const struct serve_values *values, const struct config *config,
                     const struct site_options *options, const struct option_list *listen,
                     struct tls_setup *setup)
{
    struct tls_dev dev;
    bool quiet = values->server.quiet;
    int status = tls_dev_open(&command_serve, quiet, &dev);
    if (status != 0)
        return status;
    if (values->tls.trust)
        (void)tls_dev_trust(&command_serve,
                            &dev); /* what did not work was said; it serves all the same */
    else if (!quiet && !dev.trusted)
        tls_dev_explain(&dev);
    setup->dev_cert = dev.cert;
    setup->renews = (struct weir_beside){"the process that renews the certificate", renew, &dev};
    return serve(values, config, options, listen, setup);
}

/* The values are those of the command line, or of the top of a configuration. */
static int serve_with(const struct serve_values *values, const struct config *config,
                      const struct site_options *options)
{
    char names[OPTION_LIST_MAX][NAME_MAX_BYTES];
    struct option_list listen;
    struct tls_setup setup = {.tls = NULL};
    if (log_among_answers(values))
        return usage_error(&command_serve, "--listen - talks over standard output: --access-log "
                                           "needs a file, or off");
    set_listen(&values->server.listen, values->tls.dev, names, &listen, &setup);
    if (!values->tls.dev)
        return values->tls.trust ? usage_error(&command_serve, "--trust goes with --tls-dev")
                                 : serve(values, config, options, &listen, &setup);
    return serve_dev(values, config, options, &listen, &setup);
}

static int serve_config(const struct serve_values *given)
{
    struct config config;
    struct site_options options = {.root = NULL};
    int status = config_read(&config, &command_serve, given->config, given);
    if (status == 0)
        status = config_options(&config, &command_serve, &options);
    struct serve_values values = config.top.values;
    if (status == 0)
        status = config_certs(&config, &command_serve, &values.tls);
    if (status == 0)
        status = serve_with(&values, &config, &options);
    config_free(&config);
    return status;
}

static bool needs_rules(const struct serve_values *values)
{
    return values->fields.count > 0 || values->redirects.count > 0 || values->rewrites.count > 0 ||
           values->security || guard_options_used(&values->guard);
}

int serve_run(void *arg, int argc, char **argv)
{
    const struct serve_values *values = arg;
    if (argc > 1)
        return usage_error(&command_serve, "one folder only, not also '%s'", argv[1]);
    if (argc > 0 && (values->root || values->config))
        return usage_error(&command_serve, "--%s says which folder, not also '%s'",
                           values->config ? "config" : "root", argv[0]);
    if (values->config)
        return serve_config(values);
    struct serve_values all = *values;
    if (argc > 0)
        all.root = argv[0];
    if (!all.root)
        all.root = ".";
    struct site_options options = {.root = all.root};
    struct site_part part;
    struct sites_wrong wrong = {.part = NULL};
    const struct sites_options one = {&part, 1};
    int status = serve_part_read(&command_serve, &all, "default", &part);
    if (status == 0 && needs_rules(&all)) {
        options.sites = &one;
        options.out_wrong = &wrong;
    }
    if (status == 0)
        status = serve_options_read(&command_serve, &all, &options);
    return status ? status : serve_with(&all, NULL, &options);
}
