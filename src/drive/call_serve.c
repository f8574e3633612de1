/* Answers over one stream until the peer has ended, on the thread that asked for it. */
#include "drive/loop.h"
#include "stream/sigpipe.h"

#include <weir/caller.h>

#include <errno.h>

/* What the connection is given as its config: the program's options, and behind them how it ended. */
struct serving {
    struct weir_call_options options; /* first */
    int why;
};

static void note_close(void *state, struct weir_conn *conn, int why)
{
    struct serving *serving = (struct serving *)(uintptr_t)weir_conn_config(conn);
    serving->why = why;
    weir_calls.close(state, conn, why);
}

static int serve(struct weir_stream *stream, struct serving *serving)
{
    struct weir_protocol protocol = weir_calls;
    const struct weir_service service = {
        .name = "calls", .protocol = &protocol, .config = &serving->options};
    const struct watch watch = {.stop = -1};
    struct poll_driver *driver;
    protocol.close = note_close;
    int rc = poll_driver_new(&service, &driver);
    if (rc < 0)
        return rc;
    (void)poll_drive(driver, stream, NULL, &watch, false, NULL, NULL);
    poll_driver_free(driver);
    return serving->why;
}

WEIR_API int weir_call_serve(struct weir_stream *stream, const struct weir_call_options *options)
{
    struct serving serving = {.why = -ENOMEM};
    struct sigpipe mask;
    if (options)
        serving.options = *options;
    sigpipe_hold(&mask);
    int rc = serve(stream, &serving);
    sigpipe_release(&mask, true);
    (void)weir_close(stream); /* the driver has closed what it led to */
    return rc;
}
