/*
 * cli/passwd_ask.h: a question at the terminal, whose answer is not shown.
 */
#pragma once

#include "tbl/limits.h"

#define PASSWORD_ROOM (LIMIT_AUTH_PASSWORD + 2)

/* One line of `fd`, without its end. 0; -EMSGSIZE: longer than LIMIT_AUTH_PASSWORD; -EILSEQ: a NUL is in it; -errno. */
__attribute__((warn_unused_result)) int password_read(int fd, char password[PASSWORD_ROOM]);
/* The same, asked for at `terminal`. A signal that would end or stop us finds the echo as it was; after a stop the question comes again. */
__attribute__((warn_unused_result)) int password_ask(int terminal, const char *question,
                                                     char password[PASSWORD_ROOM]);
