/* stream/unix.h: Unix addresses, for those who convert names. */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

/* "/path" or "@name" as an address; returns its length, 0: too long. */
socklen_t unix_address(const char *rest, struct sockaddr_un *out);
