/*
 * tbl/methods.h: the methods weir knows (RFC 9110 section 9, RFC 5789). Others are answered 501. Rows, no code.
 */
#pragma once

/* M(name) */
#define METHODS(M)                                                                                 \
    M(GET)                                                                                         \
    M(HEAD)                                                                                        \
    M(POST)                                                                                        \
    M(PUT)                                                                                         \
    M(DELETE)                                                                                      \
    M(CONNECT)                                                                                     \
    M(OPTIONS)                                                                                     \
    M(TRACE)                                                                                       \
    M(PATCH)
