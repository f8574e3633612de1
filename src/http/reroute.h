/*
 * http/reroute.h: an exchange whose handler is looked for once more: at another address of this server, or because something is known
 * now that was not before.
 */
#pragma once

#include "http/exchange.h"

/* Answers with another address of this server instead (target: a path and perhaps a query, valid): stops the handler that is
 * there, and finds and starts one for that address. Its content must have been read. -EALREADY begun; -ELOOP too often in one
 * exchange; -ENOBUFS, -ENOMEM: nothing has changed; else as exchange_start(). */
int exchange_reroute(struct weir_exchange *, struct weir_bytes target);
/* Finds and starts a handler once more, with the request as it is: now it is known who asks, say. No content was taken; `ended`: there is
 * no more of it. -EALREADY begun; else as exchange_start(). The caller wakes it. */
int exchange_restart(struct weir_exchange *, bool ended);
/* Whether its content is wanted is known now. An answer that is there needs none: as nobody asked for it, it may come or not, so the
 * connection ends. */
static inline void exchange_settle_content(struct weir_exchange *x)
{
    x->undecided = false;
    x->close |= x->begun && x->expects;
    x->expects &= !x->begun;
}
/* From now on the handler is looked for under another address of this server: path and query change, the target stays what was sent. 0;
 * -ENOBUFS, -ENOMEM: nothing has changed. */
int exchange_rewrite(struct weir_exchange *, struct weir_bytes target);
