/* A server for one stream, on the thread that asks for it. */
#include "drive/loop.h"
#include "stream/sigpipe.h"

#include <weir/http.h>
#include <weir/rpc_server.h>

#include <errno.h>
#include <stdlib.h>

static int serve(const struct weir_service *routes, struct weir_stream *stream)
{
    struct weir_service service = *routes;
    const struct watch watch = {.stop = -1};
    struct poll_driver *driver;
    service.protocol = &weir_http2; /* nobody speaks anything else here */
    int rc = poll_driver_new(&service, &driver);
    if (rc < 0)
        return rc;
    (void)poll_drive(driver, stream, NULL, &watch, false, NULL, NULL);
    poll_driver_free(driver);
    return 0;
}

WEIR_API int weir_rpc_serve_stream(struct weir_rpc_server *server, struct weir_stream *stream,
                                   unsigned spin_us)
{
    size_t count = weir_rpc_routes(server, NULL, 0);
    struct weir_route *rows = calloc(count, sizeof(*rows));
    const struct weir_service *routes = NULL;
    struct sigpipe mask;
    int rc = rows ? 0 : -ENOMEM;
    if (rc == 0) {
        (void)weir_rpc_routes(server, rows, count);
        rc = weir_routes_open(rows, count, NULL, &routes, NULL);
    }
    if (rc == 0) {
        weir_set_spin(stream, spin_us);
        sigpipe_hold(&mask);
        rc = serve(routes, stream);
        sigpipe_release(&mask, true);
    }
    weir_routes_close(routes);
    free(rows);
    (void)weir_close(stream); /* the driver has closed what it led to */
    return rc;
}
