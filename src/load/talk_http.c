/* Load over HTTP/1.1: the client machine with one ready request. */
#include "load/worker.h"

static int ready(void *arg, struct weir_conn *conn)
{
    (void)conn;
    return client_fill(arg);
}

static int answered(void *arg, struct weir_conn *conn, const struct http1_answer *answer)
{
    (void)conn;
    client_answered(arg, answer->response.status, answer->head_len + answer->content_len);
    return 0;
}

static void closed(void *arg, struct weir_conn *conn, int why)
{
    (void)conn;
    client_closed(arg, why);
}

const struct http1_client_calls talk_http_calls = {
    .ready = ready, .answered = answered, .closed = closed};

static int ask(struct client *c)
{
    const struct load_target *target = c->worker->options->target;
    return http1_ask(c->conn, target->request, target->request_len, NULL, target->head_only);
}

const struct talk talk_http = {.protocol = &http1_client, .ask = ask};
