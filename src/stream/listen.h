/* stream/listen.h: what the listening transports share. */
#pragma once

#include "stream/impl.h"

/* A socket that listens, O_NONBLOCK and O_CLOEXEC, or -errno. `reuse_port`: share the port with others that say so too. */
int listen_socket(const struct sockaddr *, socklen_t, int backlog, unsigned defer_accept_s,
                  bool reuse_port);
/* Connections inherit TCP_NODELAY from the socket they were accepted on. */
void listen_no_delay(int fd);
/* Names the listener after the address of a socket: "tcp:[::1]:80", "unix:/run/x". */
int listen_name_socket(struct weir_listener *, int fd);
