/*
 * drive/tls.h: what "tls:HOST:PORT" means to who opens or dials it: settings made of the name, and the endpoint underneath.
 */
#pragma once

#include "stream/tls_name.h"

#include <weir/tls.h>

struct tls_clients; /* settings of names that were dialled before, the one used last first */

/*
 * The settings for what follows "tls:", a reference for the caller; *name is filled. They are kept for the next time in *clients, which
 * begins as NULL. 0; -EINVAL, or why a file that the name tells of cannot be used.
 */
int tls_client_for(struct tls_clients **clients, const char *rest, struct tls_name *name,
                   struct weir_tls **out) WEIR_CHECKED;
void tls_clients_free(struct tls_clients *);
