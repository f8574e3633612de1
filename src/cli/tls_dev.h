/*
 * cli/tls_dev.h: `--tls-dev`: a local authority of this user, and a certificate of its for this machine, so that a page under development
 * is https without a warning. tls_dev.c keeps the files, tls_trust.c has them trusted.
 */
#pragma once

#include "cli/command.h"

#include <limits.h>
#include <stdbool.h>

struct tls_dev {
    char folder[PATH_MAX];         /* $XDG_DATA_HOME/weir */
    char authority[PATH_MAX + 32]; /* its certificate, for those who are to trust it */
    char cert[PATH_MAX + 32];      /* of this machine, with its key */
    bool trusted;                  /* the system believes it */
};

/* Makes what is missing, cut short or soon over. 0; 1 after it said what is wrong. `quiet`: nothing but that. */
int tls_dev_open(const struct command *, bool quiet, struct tls_dev *out);
/* Looks after it while a server runs, until `stop` hangs up. Says nothing but what is wrong; an authority that was removed stays so. */
void tls_dev_renew(const struct command *, const struct tls_dev *, int stop);
/* Says how to have it trusted. */
void tls_dev_explain(const struct tls_dev *);
/* Has it trusted, where it may, and says what was done and how to undo it. 0; 1: nowhere. */
int tls_dev_trust(const struct command *, const struct tls_dev *);
