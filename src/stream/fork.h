/*
 * stream/fork.h: which process this is, for what must not be used by the child of a fork. getpid(2) is a system call each time, which
 * is a tenth of what a call between processes costs beside its own.
 */
#pragma once

#include <sys/types.h>

/* As getpid(2). */
pid_t process_self(void);
