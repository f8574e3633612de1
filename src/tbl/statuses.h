/*
 * tbl/statuses.h: status codes, their reason phrases (RFC 9110 section 15, RFC 6585) and a sentence for people.
 * Rows, no code.
 */
#pragma once

/* S(code, reason, sentence) */
#define STATUSES(S)                                                                                       \
    S(200, "OK", "")                                                                                      \
    S(201, "Created", "It was made.")                                                                     \
    S(202, "Accepted", "It will be done.")                                                                \
    S(204, "No Content", "")                                                                              \
    S(206, "Partial Content", "")                                                                         \
    S(301, "Moved Permanently", "This page has moved for good.")                                          \
    S(302, "Found", "This page is elsewhere for now.")                                                    \
    S(303, "See Other", "The answer is on another page.")                                                 \
    S(304, "Not Modified", "")                                                                            \
    S(307, "Temporary Redirect", "This page is elsewhere for now.")                                       \
    S(308, "Permanent Redirect", "This page has moved for good.")                                         \
    S(400, "Bad Request", "The server could not understand this request.")                                \
    S(401, "Unauthorized", "This page asks for a name and a password.")                                   \
    S(403, "Forbidden", "This page may not be seen.")                                                     \
    S(404, "Not Found", "There is no page at this address.")                                              \
    S(405, "Method Not Allowed", "This address does not take requests of this kind.")                     \
    S(406, "Not Acceptable",                                                                              \
      "The client takes none of the forms this page comes in: as it is, or coded with br, zstd or gzip.") \
    S(408, "Request Timeout", "The request took too long to arrive.")                                     \
    S(409, "Conflict", "This cannot be done as things stand.")                                            \
    S(410, "Gone", "This page was removed.")                                                              \
    S(411, "Length Required", "The length of the content must be said.")                                  \
    S(412, "Precondition Failed", "What the request takes for granted is not so.")                        \
    S(413, "Content Too Large", "The request's content is larger than is allowed.")                       \
    S(414, "URI Too Long", "The address is longer than is allowed.")                                      \
    S(415, "Unsupported Media Type", "Content of this type is not taken here.")                           \
    S(416, "Range Not Satisfiable", "This page does not reach as far as was asked for.")                  \
    S(417, "Expectation Failed", "The server cannot do what the request expects.")                        \
    S(421, "Misdirected Request", "This server does not answer for that name.")                           \
    S(422, "Unprocessable Content", "The content was understood but cannot be used.")                     \
    S(426, "Upgrade Required", "Another protocol is needed here.")                                        \
    S(428, "Precondition Required", "The request must say what it takes for granted.")                    \
    S(429, "Too Many Requests", "Too many requests: try again later.")                                    \
    S(431, "Request Header Fields Too Large", "The request's fields are larger than is allowed.")         \
    S(500, "Internal Server Error", "Something went wrong on this server.")                               \
    S(501, "Not Implemented", "The server does not know this kind of request.")                           \
    S(502, "Bad Gateway", "The server behind this one gave no proper answer.")                            \
    S(503, "Service Unavailable", "The server has too much to do: try again later.")                      \
    S(504, "Gateway Timeout", "The answer took too long.")                                                \
    S(505, "HTTP Version Not Supported", "The server does not speak this version of HTTP.")               \
    S(507, "Insufficient Storage", "There is no space left to do this.")
