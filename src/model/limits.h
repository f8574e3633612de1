/*
 * model/limits.h: what this process may have: descriptors and cores.
 */
#pragma once

#include <sys/resource.h>

/* Raises the limit of open descriptors as far as allowed; *out_before for limits_restore_files(). */
void limits_raise_files(struct rlimit *out_before);
void limits_restore_files(const struct rlimit *before);
/* Connections that one process has descriptors for, once the limit is raised: a quarter is left for the files they ask for. */
unsigned limits_connections(void);
/* Cores this process may run on, at least 1. */
unsigned limits_cores(void);
