/* Both ends of a stream in numbers, for those who pass them on (the PROXY protocol). */
#include "drive/core.h"
#include "stream/tunnel.h"

#include <string.h>
#include <sys/un.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage room;
};

static void from_unix(struct weir_address *out, const struct sockaddr_un *un, socklen_t len)
{
    _Static_assert(sizeof(un->sun_path) == sizeof(out->path), "a path fits");
    size_t before = offsetof(struct sockaddr_un, sun_path);
    out->family = WEIR_FAMILY_UNIX;
    if (len > before && len <= sizeof(*un))
        memcpy(out->path, un->sun_path, len - before);
}

/* A v4 client of a v6 socket is a v4 client. */
static void from_v6(struct weir_address *out, const struct sockaddr_in6 *in6)
{
    bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
    out->family = mapped ? WEIR_FAMILY_IP4 : WEIR_FAMILY_IP6;
    out->port = ntohs(in6->sin6_port);
    memcpy(out->ip, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
}

static struct weir_address from_socket(const union socket_address *at, socklen_t len)
{
    struct weir_address out = {.family = WEIR_FAMILY_NONE};
    switch (at->any.sa_family) {
    case AF_INET:
        out.family = WEIR_FAMILY_IP4;
        out.port = ntohs(at->in.sin_port);
        memcpy(out.ip, &at->in.sin_addr, 4);
        break;
    case AF_INET6:
        from_v6(&out, &at->in6);
        break;
    case AF_UNIX:
        from_unix(&out, &at->un, len);
        break;
    default:
        break;
    }
    return out;
}

void stream_ends(const struct weir_stream *stream, struct weir_address *out_peer,
                 struct weir_address *out_local)
{
    union socket_address peer = {.any.sa_family = AF_UNSPEC}, local = peer;
    if (stream->tunnelled)
        stream = stream->tunnel->under;
    socklen_t peer_len = sizeof(peer), local_len = sizeof(local);
    *out_peer = *out_local = (struct weir_address){.family = WEIR_FAMILY_NONE};
    if (stream->in_kind != FD_SOCKET || getpeername(stream->in, &peer.any, &peer_len) < 0 ||
        getsockname(stream->in, &local.any, &local_len) < 0)
        return;
    *out_peer = from_socket(&peer, peer_len);
    *out_local = from_socket(&local, local_len);
}
