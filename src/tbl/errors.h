/*
 * tbl/errors.h: what can be wrong with a request, and how that is answered in each version of HTTP. Rows, no code.
 */
#pragma once

/* E(name, HTTP/1 status, HTTP/2 error code, the limit that struck as its option is called or "", sentence for the answer) */
#define HTTP_ERRORS(E)                                                                             \
    E(REQUEST_LINE, 400, 0x1, "", "The request line is malformed.")                                \
    E(LINE_END, 400, 0x1, "", "A line does not end with CR LF.")                                   \
    E(TARGET, 400, 0x1, "", "The request target is malformed.")                                    \
    E(FIELD_NAME, 400, 0x1, "", "A field name is malformed.")                                      \
    E(FIELD_VALUE, 400, 0x1, "", "A field value has bytes that are not allowed.")                  \
    E(FOLDED, 400, 0x1, "", "A field value is folded over several lines.")                         \
    E(HOST, 400, 0x1, "", "The Host field is missing, repeated or malformed.")                     \
    E(LENGTH, 400, 0x1, "", "The Content-Length field is malformed or repeated.")                  \
    E(FRAMING, 400, 0x1, "", "Content-Length and Transfer-Encoding contradict each other.")        \
    E(CODING, 400, 0x1, "", "The Transfer-Encoding field does not end the message.")               \
    E(CHUNK, 400, 0x1, "", "The chunked content is malformed.")                                    \
    E(CHUNK_EXTRA, 400, 0xb, "chunk-extra",                                                        \
      "Chunk extensions or trailers are larger than is allowed.")                                  \
    E(INCOMPLETE, 400, 0x1, "", "The request ended before it was complete.")                       \
    E(HEAD_TIMEOUT, 408, 0x8, "head-timeout", "The head of the request took too long to arrive.")  \
    E(BODY_TIMEOUT, 408, 0x8, "body-timeout", "The content of the request stopped arriving.")      \
    E(TOO_SLOW, 408, 0x8, "min-rate", "The content of the request arrived too slowly.")            \
    E(CONTENT_TOO_LARGE, 413, 0x8, "max-body", "The request's content is larger than is allowed.") \
    E(LINE_TOO_LONG, 414, 0xb, "max-line", "The request line is longer than is allowed.")          \
    E(EXPECTATION, 417, 0x8, "", "Only 100-continue can be expected.")                             \
    E(MISDIRECTED, 421, 0x1, "", "An https address is answered over TLS only.")                    \
    E(FIELDS_TOO_LARGE, 431, 0xb, "max-fields",                                                    \
      "The fields of the request are longer than is allowed.")                                     \
    E(FIELDS_TOO_MANY, 431, 0xb, "max-field-count",                                                \
      "The request has more fields than is allowed.")                                              \
    E(UNKNOWN_METHOD, 501, 0x1, "", "The server does not know this method.")                       \
    E(UNKNOWN_CODING, 501, 0x1, "", "The server knows no transfer coding but chunked.")            \
    E(CLIENT_CONNECTIONS, 503, 0xb, "client-connections",                                          \
      "There are too many connections from this address: try again later.")                        \
    E(VERSION, 505, 0xd, "", "The server speaks HTTP/1.1 and HTTP/1.0 here.")
