/*
 * tbl/log_fields.h: what a line of the access log can say. Rows, no code.
 */
#pragma once

/* L(NAME, "name", "what it is") */
#define LOG_FIELDS(L)                                                                              \
    L(TIME, "time", "when the answer was complete, in UTC")                                        \
    L(REMOTE, "remote", "the client's address, masked by --log-mask")                              \
    L(PORT, "port", "the client's port")                                                           \
    L(USER, "user", "who it was, where a password was asked for")                                  \
    L(SUBJECT, "subject", "whose certificate the client has shown (--client-ca)")                  \
    L(HOST, "host", "host and port that were asked for")                                           \
    L(LINE, "line", "the request line")                                                            \
    L(METHOD, "method", "its method")                                                              \
    L(TARGET, "target", "its target")                                                              \
    L(PROTOCOL, "protocol", "HTTP/1.1 or HTTP/1.0")                                                \
    L(STATUS, "status", "of the answer")                                                           \
    L(BYTES, "bytes", "of the answer's content")                                                   \
    L(REFERRER, "referrer", "as the client said")                                                  \
    L(AGENT, "agent", "as the client said")                                                        \
    L(ID, "id", "the request's name, which the error log has, too")                                \
    L(LIMIT, "limit", "the limit that struck, by the name of its option")                          \
    L(WHY, "why", "why it ended, if not well: ECONNRESET ...")                                     \
    L(TOTAL, "total", "seconds from the first byte of the request to the last of the answer")      \
    L(RECEIVE, "receive", "seconds until the head of the request was there")                       \
    L(PARSE, "parse", "seconds until it was read and its handler was found")                       \
    L(OPEN, "open", "seconds until there was an answer")                                           \
    L(FIRST, "first", "seconds from the request's first byte to the answer's")                     \
    L(LAST, "last", "seconds from the answer's first byte to its last")
