/*
 * model/sequential.h: one connection after the other on this process; prefork is several of these side by side.
 */
#pragma once

#include "model/model.h"

/* A connection that rests leaves when another client has waited for `confirm_ms`. 0 or -errno. */
int sequential_serve(const struct worker *, unsigned confirm_ms);
