#include "model/listen.h"

#include "tbl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What to do about it, for the errors people meet. */
static const struct advice {
    int error;
    const char *text;
} advices[] = {
    {EADDRINUSE, "something listens there already: stop it, or choose another"},
    {EACCES, "not allowed: choose a port above 1023 or a folder you may write to"},
    {EPERM, "not allowed: choose a port above 1023 or a folder you may write to"},
    {EADDRNOTAVAIL,
     "this machine does not have that address: 127.0.0.1 is itself, 0.0.0.0 all it has"},
    {EHOSTUNREACH, "no such host name: 127.0.0.1 is this machine"},
    {EINVAL, "no such service or address: write tcp:HOST:PORT, for example tcp:127.0.0.1:7000"},
    {ENOENT, "make the folder first"},
    {EAFNOSUPPORT, "this machine does not speak that kind of address"},
    {EOPNOTSUPP, "nobody can wait for clients there: choose tcp:, unix: or fd:"},
    {ENOTSOCK, "that descriptor is not a listening socket"},
    {EBADF, "that descriptor is not open"},
    {EMFILE, "raise the limit of open files (ulimit -n)"},
};

static void explain(const char *endpoint, int error, char *why, size_t why_size)
{
    const char *advice = NULL;
    for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++)
        if (advices[i].error == error)
            advice = advices[i].text;
    snprintf(why, why_size, "cannot listen at %s: %s%s%s%s", endpoint, strerror(error),
             advice ? " (" : "", advice ? advice : "", advice ? ")" : "");
}

static unsigned defer_s(const struct weir_server *server)
{
    return server->service->client_first ? LIMIT_DEFER_S : 0;
}

/* The further workers' sets; a listener that cannot be had twice is shared. */
static int clone_rows(struct listeners *listeners, const struct weir_server *server, bool reuseport,
                      unsigned *out_failed)
{
    for (unsigned worker = 1; worker < listeners->workers; worker++) {
        for (unsigned i = 0; i < listeners->endpoints; i++) {
            struct weir_listener **to = &listeners->at[worker * listeners->endpoints + i];
            int rc =
                reuseport ? listener_clone(listeners->at[i], 0, defer_s(server), to) : -EOPNOTSUPP;
            if (rc == -EOPNOTSUPP) {
                *to = listeners->at[i];
            } else if (rc < 0) {
                *out_failed = i;
                return rc;
            }
        }
    }
    return 0;
}

int listeners_open(struct listeners *listeners, const struct weir_server *server, unsigned workers,
                   bool reuseport, char *why, size_t why_size)
{
    *listeners =
        (struct listeners){.endpoints = (unsigned)server->listen_count, .workers = workers};
    listeners->at =
        calloc((size_t)listeners->endpoints * listeners->workers, sizeof(struct weir_listener *));
    if (!listeners->at) {
        snprintf(why, why_size, "cannot listen: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    unsigned failed = 0;
    int rc = 0;
    for (unsigned i = 0; i < listeners->endpoints && rc == 0; i++) {
        failed = i;
        rc = listener_open(server->listen[i], 0, defer_s(server), &listeners->at[i]);
    }
    if (rc == 0)
        rc = clone_rows(listeners, server, reuseport, &failed);
    for (unsigned i = 0; rc == 0 && i < listeners->endpoints * workers; i++)
        listeners->at[i]->way = (uint8_t)(i % listeners->endpoints);
    if (rc < 0) {
        explain(server->listen[failed], -rc, why, why_size);
        listeners_close(listeners);
    }
    return rc;
}

struct weir_listener *const *listeners_of(const struct listeners *listeners, unsigned worker)
{
    return &listeners->at[worker * listeners->endpoints];
}

void listeners_keep(struct listeners *listeners, unsigned worker)
{
    for (unsigned other = 0; other < listeners->workers; other++) {
        for (unsigned i = 0; other != worker && i < listeners->endpoints; i++) {
            struct weir_listener *theirs = listeners->at[other * listeners->endpoints + i];
            if (theirs != listeners->at[worker * listeners->endpoints + i] &&
                (other == 0 || theirs != listeners->at[i]))
                listener_release(theirs);
        }
    }
}

void listeners_drop(struct listeners *listeners)
{
    for (unsigned i = 0; listeners->at && i < listeners->workers * listeners->endpoints; i++)
        listener_release(listeners->at[i]); /* twice is once */
}

void listeners_close(struct listeners *listeners)
{
    if (!listeners->at)
        return;
    for (unsigned worker = listeners->workers; worker-- > 0;) {
        for (unsigned i = 0; i < listeners->endpoints; i++) {
            struct weir_listener *listener = listeners->at[worker * listeners->endpoints + i];
            if (listener && (worker == 0 || listener != listeners->at[i]))
                weir_listener_close(listener);
        }
    }
    free(listeners->at);
    listeners->at = NULL;
}
