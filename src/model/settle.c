/* What was asked for, checked, and what was left open, filled in: before anything is opened or started. */
#include "base/text.h"
#include "model/limits.h"
#include "model/standard.h"
#include "tbl/limits.h"

#include <string.h>

#define GRACE_S 10
#define QUEUE   128

static int refuse(const struct weir_server *server, const char *text)
{
    if (server->report)
        server->report(server->report_arg, WEIR_REPORT_ERROR, text);
    return WEIR_EXIT_USAGE;
}

/* The names of the models that fit: "sequential, fork-wait, …". */
static void add_names(struct text *text, bool talk_only)
{
    const struct weir_model_info *info;
    const char *before = "";
    for (unsigned i = 0; (info = weir_model(i)); i++) {
        if (talk_only && !info->talk)
            continue;
        text_str(text, before);
        text_str(text, info->name);
        before = ", ";
    }
}

static int refuse_model(const struct weir_server *server, const char *why, bool talk_only)
{
    char line[512];
    struct text text;
    text_init(&text, line, sizeof(line));
    text_fmt(&text, "%s; use one of: ", why);
    add_names(&text, talk_only);
    return refuse(server, text_end(&text));
}

static int check_model(const struct weir_server *server)
{
    char why[256];
    struct text text;
    text_init(&text, why, sizeof(why));
    const struct weir_service *service = server->service;
    const struct model *model = model_find(server->model);
    if (!model) {
        text_fmt(&text, "no model is called '%.64s'", server->model);
        return refuse_model(server, text_end(&text), service->talk);
    }
    if (service->talk && !model->info.talk) {
        text_fmt(
            &text,
            "the model %s cannot run a function that talks over one stream: it would hold up all connections",
            server->model);
        return refuse_model(server, text_end(&text), true);
    }
    bool threads = model->run == thread_run || model->run == pool_run;
    if (threads && !service->threads) {
        text_fmt(&text, "%s cannot run in several threads, which the model %s has", service->name,
                 server->model);
        return refuse(server, text_end(&text));
    }
    return WEIR_EXIT_OK;
}

static int check_endpoints(const struct weir_server *server)
{
    char why[400];
    if (server->listen_count == 0)
        return refuse(server,
                      "there is nowhere to listen: name an endpoint, such as tcp:127.0.0.1:7000");
    if (server->listen_count > LIMIT_ENDPOINTS)
        return refuse(server, "too many endpoints to listen at: at most 64");
    if (standard_is_asked(server))
        return WEIR_EXIT_OK;
    for (size_t i = 0; i < server->listen_count; i++)
        if (strcmp(server->listen[i], STANDARD_NAME) == 0)
            return refuse(server, "- is one conversation over standard input and output: it "
                                  "cannot be listened at beside other endpoints");
    for (size_t i = 0; i < server->listen_count; i++)
        if (weir_endpoint_check(server->listen[i], true, why, sizeof(why)) < 0)
            return refuse(server, why);
    return WEIR_EXIT_OK;
}

static int check(const struct weir_server *server)
{
    const struct weir_service *service = server->service;
    if (!service || (!service->protocol && !service->talk))
        return refuse(server, "there is nothing to serve: neither a protocol nor a function");
    if (server->workers > LIMIT_WORKERS)
        return refuse(server, "too many workers: at most 1024");
    if (server->queue > LIMIT_POOL_QUEUE)
        return refuse(server, "the queue is too long: at most 65536");
    return check_endpoints(server);
}

/* As many as the table says; where one process holds them all, not more than it has descriptors for. */
static unsigned places(const struct model *model, const struct weir_service *service)
{
    unsigned most = limits_connections() / (1 + service->companions),
             usual = model->info.max_connections;
    most = most > 0 ? most : 1;
    if (model->run == fork_run)
        return usual;
    return usual && usual < most ? usual : most;
}

static void fill_in(struct weir_server *server)
{
    const struct model *model = model_find(server->model);
    bool counted = model->processes || model->info.workers > 1;
    if (!counted)
        server->workers = 1;
    else if (server->workers == 0)
        server->workers = model->info.workers ? model->info.workers : limits_cores();
    if (model->info.max_connections == 1)
        server->max_connections = 1;
    else if (server->max_connections == 0)
        server->max_connections = places(model, server->service);
    if (server->queue == 0)
        server->queue = QUEUE;
    if (server->grace_s == 0)
        server->grace_s = GRACE_S;
}

static int settle_standard(struct weir_server *server)
{
    if (server->model && strcmp(server->model, standard_model.info.name) != 0)
        return refuse(server, "- is one conversation over standard input and output: there is "
                              "nothing for a model to choose");
    if (!standard_is_open())
        return refuse(server, "standard input or output is closed: there is nobody to talk to");
    server->model = standard_model.info.name;
    server->workers = server->max_connections = 1;
    server->grace_s = server->grace_s ? server->grace_s : GRACE_S;
    return WEIR_EXIT_OK;
}

int weir_server_settle(struct weir_server *server)
{
    int status = check(server);
    if (status != WEIR_EXIT_OK)
        return status;
    if (standard_is_asked(server))
        return settle_standard(server);
    if (!server->model)
        server->model = server->service->talk ? "thread" : "event";
    status = check_model(server);
    if (status == WEIR_EXIT_OK)
        fill_in(server);
    return status;
}
