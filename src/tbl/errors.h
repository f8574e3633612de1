/*
 * tbl/errors.h: what can be wrong with a request, and how that is answered in each version of HTTP. Rows, no code.
 */
#pragma once

/* E(name, HTTP/1 status, HTTP/2 error code, sentence for the answer) */
#define HTTP_ERRORS(E)                                                                             \
    E(REQUEST_LINE, 400, 0x1, "The request line is malformed.")                                    \
    E(LINE_END, 400, 0x1, "A line does not end with CR LF.")                                       \
    E(TARGET, 400, 0x1, "The request target is malformed.")                                        \
    E(FIELD_NAME, 400, 0x1, "A field name is malformed.")                                          \
    E(FIELD_VALUE, 400, 0x1, "A field value has bytes that are not allowed.")                      \
    E(FOLDED, 400, 0x1, "A field value is folded over several lines.")                             \
    E(HOST, 400, 0x1, "The Host field is missing, repeated or malformed.")                         \
    E(LENGTH, 400, 0x1, "The Content-Length field is malformed or repeated.")                      \
    E(FRAMING, 400, 0x1, "Content-Length and Transfer-Encoding contradict each other.")            \
    E(CODING, 400, 0x1, "The Transfer-Encoding field does not end the message.")                   \
    E(CHUNK, 400, 0x1, "The chunked content is malformed.")                                        \
    E(CHUNK_EXTRA, 400, 0xb, "Chunk extensions or trailers are larger than is allowed.")           \
    E(INCOMPLETE, 400, 0x1, "The request ended before it was complete.")                           \
    E(TIMEOUT, 408, 0x8, "The request took too long to arrive.")                                   \
    E(CONTENT_TOO_LARGE, 413, 0x8, "The request's content is larger than is allowed.")             \
    E(LINE_TOO_LONG, 414, 0xb, "The request line is longer than is allowed.")                      \
    E(EXPECTATION, 417, 0x8, "Only 100-continue can be expected.")                                 \
    E(FIELDS_TOO_LARGE, 431, 0xb, "The request has more or longer fields than is allowed.")        \
    E(UNKNOWN_METHOD, 501, 0x1, "The server does not know this method.")                           \
    E(UNKNOWN_CODING, 501, 0x1, "The server knows no transfer coding but chunked.")                \
    E(VERSION, 505, 0xd, "The server speaks HTTP/1.1 and HTTP/1.0 here.")
