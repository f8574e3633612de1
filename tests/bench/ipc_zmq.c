/* ipc_zmq.c: ZeroMQ over its ipc: transport: push and pull one way, a pair for round trips. */
#include "ipc.h"

#include <errno.h>
#include <stdio.h>
#include <zmq.h>

static void *sock;

void contender_prepare(const struct job *job)
{
    errno = EOPNOTSUPP;
    if (job->transport != UNIX || job->spin || job->framed)
        give_up("ZeroMQ");
}

/* Its thread is started here, on the core of this process. */
void contender_take(const struct job *job, bool child)
{
    char name[96];
    void *context = zmq_ctx_new();
    snprintf(name, sizeof(name), "ipc://%s", job->path);
    sock = zmq_socket(context, job->trips ? ZMQ_PAIR : child ? ZMQ_PUSH : ZMQ_PULL);
    if (!sock || (child ? zmq_connect(sock, name) : zmq_bind(sock, name)) < 0)
        give_up("zmq");
}

void contender_send(const struct job *job, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (zmq_send(sock, block, job->bytes, 0) < 0)
            give_up("zmq_send");
}

void contender_receive(const struct job *job, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (zmq_recv(sock, block, sizeof(block), 0) != (int)job->bytes)
            give_up("zmq_recv");
}
