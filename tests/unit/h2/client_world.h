/*
 * A client of HTTP/2 in virtual time, with up to three requests, against frames written by hand.
 */
#pragma once

#include "drive/sim.h"
#include "h2/client.h"
#include "h2/wire.h"
#include "tbl/limits_h2.h"
#include "tbl/limits_rpc.h"

#define REQUESTS 3

struct asked {
    struct h2_request request; /* first */
    unsigned fields, heads, ends, closed;
    size_t content;
    size_t send; /* bytes that are there to be sent, and then the end */
    int why;
    uint32_t code;
    int fail; /* what field() says */
};

struct world {
    struct sim *sim;
    struct sim_end *end;
    struct h2_client_options options;
    struct asked asked[REQUESTS];
    unsigned left;
};

/* What is told of a request goes to its struct asked. */
extern const struct h2_request_calls calls;

nghttp2_nv line(const char *name, const char *value);
/* Begins a request. As h2_client_submit(). */
int submit(struct world *, unsigned i, bool body);
/* A connection, and so many requests on it without content. */
void start(struct world *, enum sim_cut, unsigned requests);
/* What the peer says. */
void say(struct world *, const void *bytes, size_t len);
#define SAY(w, literal) say(w, literal, sizeof(literal) - 1)
/* How many frames of this kind were sent on this stream; the payload of the last in *out. */
unsigned sent(const struct world *, uint8_t type, uint32_t id, const uint8_t **out);
/* Each request has ended once. */
void stop(struct world *);
/* Of the last GOAWAY; 99: none was sent. */
uint32_t goaway_of(const struct world *);
uint32_t reset_of(const struct world *, uint32_t id);

#define F(len, type, flags, id) "\0" len type flags "\0\0\0" id
#define SETTINGS                F("\0\0", "\4", "\0", "\0")
#define ACK                     F("\0\0", "\4", "\1", "\0")
#define HEAD(id)                F("\0\1", "\1", "\4", id) "\x88"
#define HEAD_END(id)            F("\0\1", "\1", "\5", id) "\x88"
