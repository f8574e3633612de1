#include "stream/transport.h"

static const struct transport *const transports[] = {
    &tcp_transport,  &tls_transport,  &unix_transport, &shm_transport,      &pipe_transport,
    &file_transport, &exec_transport, &fd_transport,   &standard_transport,
};

const struct transport *transport_get(size_t index)
{
    return index < sizeof(transports) / sizeof(transports[0]) ? transports[index] : NULL;
}
