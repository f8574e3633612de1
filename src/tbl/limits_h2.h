/*
 * tbl/limits_h2.h: bounds of HTTP/2 connections. Those of heads, content and time are those of HTTP/1.1 (limits_http.h). Included by
 * tbl/limits.h.
 */
#pragma once

#define LIMIT_H2_STREAMS 128   /* at once; RFC 9113 section 5.1.2 recommends 100 at least */
#define LIMIT_H2_FRAME   16384 /* content of a frame from the peer: the least that can be announced */
#define LIMIT_H2_WINDOW                                                                            \
    (256 *                                                                                         \
     1024) /* content a stream may send ahead of its handler: 20 Mbit/s at 100 ms of distance */
#define LIMIT_H2_WINDOW_ALL (1024 * 1024) /* ... and all streams of a connection together */
#define LIMIT_H2_TABLE      4096 /* of names and values, each way: what HPACK begins with */
#define LIMIT_H2_BLOCK                                                                             \
    (64 * 1024) /* a head as it is sent, all its frames: none that is allowed has more */
#define LIMIT_H2_CONTINUATIONS                                                                     \
    16 /* frames of one head after the first: with full ones it would have had four */
#define LIMIT_H2_HEAD_DECODED                                                                      \
    (1024 *                                                                                        \
     1024) /* a head that is too large is still read, for the sake of the table, up to this */
#define LIMIT_H2_RING 64 /* streams whose end is remembered: what comes late for them is known */
#define LIMIT_H2_OWED                                                                              \
    8 /* resets behind early answers that are put off; one more: the first goes at once */
#define LIMIT_H2_OWED_MS     500   /* ... for so long: the client has read the answer by then */
#define LIMIT_H2_GOAWAY_MS   250   /* between the first and the second GOAWAY: a round trip */
#define LIMIT_H2_FRAME_HEADS 16384 /* content of one frame of ours: what every peer takes */

/* What costs much and brings nothing: how many of each in LIMIT_H2_CALM_MS are one too many, beyond those that go with work that was
 * done (an answer, content, a head). */
#define LIMIT_H2_CALM_MS 10000
#define LIMIT_H2_RESETS  300 /* streams reset by the peer, beyond those answered (CVE-2023-44487) */
#define LIMIT_H2_REFUSED                                                                           \
    300 /* malformed or refused streams, and frames for streams that have ended */
#define LIMIT_H2_SETTINGS 100  /* each is acknowledged (CVE-2019-9515) */
#define LIMIT_H2_PINGS    300  /* likewise (CVE-2019-9512) */
#define LIMIT_H2_EMPTY    300  /* frames of content without any (CVE-2019-9518) */
#define LIMIT_H2_PRIORITY 1000 /* priorities told or changed (CVE-2019-9513) */
#define LIMIT_H2_WINDOWS  5000 /* window updates, beyond one a frame of content sent */
#define LIMIT_H2_UNKNOWN  1000 /* frames of types that nobody here knows */
#define LIMIT_H2_INPUT_ROOM                                                                        \
    (20 * 1024) /* of the queue, that content leaves to what input asks for; a frame has 16 KiB */
#define LIMIT_H2_INPUT_SPANS 8 /* likewise */
