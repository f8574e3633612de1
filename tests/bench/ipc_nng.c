/* ipc_nng.c: nng over its ipc: transport: push and pull one way, a pair for round trips. */
#include "ipc.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdio.h>
#include <unistd.h>

static nng_socket sock;

static void check(int rc, const char *what)
{
    errno = EIO;
    if (rc != 0)
        give_up(what);
}

void contender_prepare(const struct job *job)
{
    errno = EOPNOTSUPP;
    if (job->transport != UNIX || job->spin || job->framed)
        give_up("nng");
}

/* Its threads are started here, on the core of this process. */
void contender_take(const struct job *job, bool child)
{
    char name[96];
    snprintf(name, sizeof(name), "ipc://%s", job->path);
    if (job->trips)
        check(nng_pair0_open(&sock), "nng_pair0_open");
    else
        check(child ? nng_push0_open(&sock) : nng_pull0_open(&sock), "open");
    check(nng_socket_set_size(sock, NNG_OPT_RECVMAXSZ, 0), "NNG_OPT_RECVMAXSZ");
    if (!child)
        check(nng_listen(sock, name, NULL, 0), "nng_listen");
    for (int tries = 0; child && nng_dial(sock, name, NULL, 0) != 0; tries++) {
        if (tries == 1000)
            give_up("nng_dial");
        usleep(1000);
    }
}

void contender_send(const struct job *job, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        check(nng_send(sock, block, job->bytes, 0), "nng_send");
}

void contender_receive(const struct job *job, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_t len;
        void *bytes;
        check(nng_recv(sock, &bytes, &len, NNG_FLAG_ALLOC), "nng_recv");
        if (len != job->bytes)
            give_up("another length");
        nng_free(bytes, len);
    }
}
