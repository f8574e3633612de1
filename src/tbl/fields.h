/*
 * tbl/fields.h: the request fields weir itself looks at, in lower case. Rows, no code.
 */
#pragma once

/* F(id, name) */
#define FIELDS(F)                                                                                  \
    F(HOST, "host")                                                                                \
    F(RANGE, "range")                                                                              \
    F(ACCEPT, "accept")                                                                            \
    F(EXPECT, "expect")                                                                            \
    F(REFERER, "referer")                                                                          \
    F(IF_MATCH, "if-match")                                                                        \
    F(IF_RANGE, "if-range")                                                                        \
    F(CONNECTION, "connection")                                                                    \
    F(USER_AGENT, "user-agent")                                                                    \
    F(IF_NONE_MATCH, "if-none-match")                                                              \
    F(CONTENT_LENGTH, "content-length")                                                            \
    F(ACCEPT_ENCODING, "accept-encoding")                                                          \
    F(TRANSFER_ENCODING, "transfer-encoding")                                                      \
    F(IF_MODIFIED_SINCE, "if-modified-since")                                                      \
    F(IF_UNMODIFIED_SINCE, "if-unmodified-since")
