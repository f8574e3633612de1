/*
 * model/standard.h: one conversation over standard input and output ("-" as the only endpoint), as inetd, exec: and a pair
 * of named pipes want it. No listener, no model to choose: when the conversation is over, so is the server.
 */
#pragma once

#include "model/model.h"

#define STANDARD_NAME "-"

bool standard_is_asked(const struct weir_server *);
/* Else 0 and 1 will soon be something else's numbers. */
bool standard_is_open(void);
/* Not a row of the table: nobody can ask for it by name. */
extern const struct model standard_model;
/* In the supervisor: lets go of both descriptors. The worker has them, and its peer is to see when that one ends them. */
void standard_release(void);
