/*
 * cli/call.h: the inside of `weir call`: call.c has the command, call_types.c where types come from, call_talk.c a call under way.
 */
#pragma once

#include "cli/command.h"
#include "cli/tls_client.h"

#include <weir/message.h>
#include <weir/rpc_client.h>

/* Exit statuses beside 0 and 2 (wrong usage); the server's own are CALL_STATUS and its code. */
#define CALL_FAILED 1
#define CALL_STATUS 10

struct call_values {
    struct option_list headers;
    const char *proto_set;
    const char *authority;
    unsigned timeout_s;
    unsigned connect_s;
    bool pretty;
    bool original_names;
    bool defaults;
    bool ignore_unknown;
    bool gzip;
    bool verbose;
    struct tls_client_options tls;
};

#define CALL_METADATA_MAX OPTION_LIST_MAX

/* What every part of a run needs. */
struct call {
    const struct call_values *values;
    const char *endpoint; /* as the user wrote it */
    struct weir_rpc_channel *channel;
    struct weir_schema *schema;
    struct weir_rpc_entry metadata[CALL_METADATA_MAX];
    size_t metadata_count;
};

/* What `name` (a service, or anything that is declared) needs, into call->schema, linked: from the file of --proto-set, or from the
 * server by reflection. 0, or an exit status; it has complained then. */
int call_types(struct call *, const char *name);
/* The server's services, by reflection, one a line; or those of --proto-set. */
int call_list(struct call *);
/* Makes the call: `texts` are messages in JSON; "-": lines of standard input. An exit status. */
int call_talk(struct call *, const struct weir_rpc_method *, char **texts, int count);
/* The server's word, in a line: returns CALL_STATUS and its code, 0 for OK. */
int call_status(const struct call *, const char *what, const struct weir_rpc_status *);
/* A begun call said -EINVAL. Returns 2. */
int call_bad_metadata(void);
