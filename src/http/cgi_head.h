/*
 * http/cgi_head.h: the head of a CGI program's answer (RFC 3875 section 6): where it ends, what it asks of the server, and
 * the field lines that go on to the client. Strict, as the heads of requests are read: a program that says what can be taken
 * in two ways, or bytes that no field may have, has said nothing.
 *
 * Pure: it looks at bytes and keeps none of them.
 */
#pragma once

#include <weir/base.h>

struct text;

struct cgi_head {
    uint16_t status;            /* 0: none was named */
    bool local;                 /* location is a path of this server, to be answered instead */
    struct weir_bytes location; /* borrowed from the bytes that were read; len 0: none */
    uint64_t length;            /* of the content; UINT64_MAX: not said */
    size_t lines_max;           /* what cgi_head_lines() writes at the most */
};

/* The length of the head, with the empty line that ends it; 0: it goes on. *scanned remembers how far it was looked
 * through: 0 at first. Lines end with LF or CR LF (RFC 3875 section 6.3 leaves that to the system). */
size_t cgi_head_find(size_t *scanned, const char *bytes, size_t len);
/* Reads a whole head of `len` bytes. 0 or -EPROTO. */
WEIR_CHECKED int cgi_head_read(const char *bytes, size_t len, struct cgi_head *out);
/* Adds "Name: value\r\n" for each field of a head that was read which is for the client: without those that are for the
 * server, that belong to one connection only, or that the server writes itself. */
void cgi_head_lines(const char *bytes, size_t len, struct text *out);
/* The status of an answer that is whole HTTP already (RFC 3875 section 5: NPH); 0: more bytes are needed; -EPROTO. */
WEIR_CHECKED int cgi_head_status(const char *bytes, size_t len);
