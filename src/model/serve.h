/*
 * model/serve.h: one client from beginning to end on the calling thread, whether a machine or a plain function answers,
 * and a child process that does just that.
 */
#pragma once

#include "model/gate.h"

/* Takes the stream. */
void serve_client(struct poll_driver *, const struct worker *, struct weir_stream *client,
                  const struct watch *);
/* The same with a driver made for it: a thread or process a connection. Says so if there is none. 0 or -errno. */
int serve_alone(const struct worker *, struct weir_stream *client, const struct watch *);

/* Forks a child that serves this client and ends. Returns its process id, and the client is the child's; or
 * -errno, and the client is untouched. `close_fd` >= 0 is closed in the child, and so are the gate's sockets, unless
 * `watch` is the gate's own. The child is killed when its parent dies. */
pid_t serve_child(struct gate *, struct weir_stream *client, const struct watch *watch,
                  int close_fd);
/* Says so if a child did not end well; `status` is waitpid(2)'s. */
void serve_child_ended(const struct worker *, pid_t, int status);
