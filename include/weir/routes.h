/*
 * weir/routes.h: an HTTP application in C: routes by method and path, answered by plain functions that may block, by handlers
 * (weir/http.h), or by the files of a folder.
 *
 * A function runs on a helper thread, under every concurrency model: the thread that feeds its connection goes on meanwhile, through
 * a bounded queue in each direction. A read waits for the client to send, a write for it to take. What waits is bounded by the deadlines of struct
 * weir_http; when one strikes, or the client is gone, every call gives -EPIPE, and the function should return. Nothing is freed under it.
 * A driver has 16 such threads of 256 KiB of stack; 64 requests more may wait for one, and others are answered 503 with Retry-After.
 *
 * Strings that these calls give live until the function returns. A request and its response belong to the function's own thread.
 */
#pragma once

#include "http.h"

/* The calls of http.h that look at a request may be made for `exchange`: weir_request_method(request->exchange) and so on; not weir_request_id(). */
struct weir_request {
    const struct weir_exchange *exchange;
    const void *arg; /* of the route */
};
struct weir_response;

/* Returns 0, or < 0: answered 500, or the connection is cut if the response has begun. Content that was not read is read past. It is not
 * called for a client that went while its request waited for a thread. */
typedef int weir_answer(struct weir_request *, struct weir_response *);

/* Give one of answer, handler and files. A pattern is a path of segments. ":id" stands for a segment that is not empty, "*rest", as the
 * last one, for all that is left, perhaps nothing. Of several that fit, a plain segment goes before a parameter, and that before a rest, from
 * the left. Everything is borrowed until the service is closed. HEAD is answered by the route of GET, OPTIONS and 405 from the table. */
struct weir_route {
    enum weir_method method; /* GET, HEAD, POST, PUT, DELETE or PATCH; not looked at for files */
    const char *pattern; /* for files a prefix without parameters: "/" is whatever no other fits */
    weir_answer *answer;
    const struct weir_handler *handler; /* its weir_exchange_config() is this route */
    const char *files; /* a folder, served under the prefix as weir_files_open() does */
    const void *arg;
};

struct weir_routes_options {
    struct weir_http http; /* deadlines and limits; its calls and arg are not used */
};

/* A service for weir_server_run(). `options` may be NULL. -EINVAL: a row that is none of these, with *out_wrong its index (may be NULL);
 * -EEXIST: two rows for the same; -ENOSPC: more than 256, or 32 of files; of a folder: -ENOENT, -ENOTDIR, -EACCES; -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_routes_open(const struct weir_route *, size_t count,
                                           const struct weir_routes_options *options,
                                           const struct weir_service **out, size_t *out_wrong);
WEIR_API void weir_routes_close(const struct weir_service *); /* NULL is fine */

/* For a handler of a route: the decoded parameter, in memory of the exchange; NULL: none of that name, no memory, or a NUL in it. */
WEIR_API const char *weir_route_parameter(struct weir_exchange *, const char *name);

/* --- the request --- */
/* Decoded, NUL-terminated: the parameter of the route's pattern; the first value of that name in the query ("+" is a space). NULL: there is
 * none, it is malformed or has a NUL, or no memory. */
WEIR_API const char *weir_request_parameter(struct weir_request *, const char *name);
WEIR_API const char *weir_request_query_value(struct weir_request *, const char *name);
/* The next bytes of the content, waited for. 0: it has ended; -EPIPE: the client is gone, or too slow. */
WEIR_API WEIR_CHECKED ssize_t weir_request_read(struct weir_request *, void *buffer, size_t len);
/* All that was not read yet, with a NUL behind it. -EMSGSIZE: more than `max` bytes (1 MiB at the most); -ENOMEM; -EPIPE. */
WEIR_API WEIR_CHECKED int weir_request_content(struct weir_request *, size_t max,
                                               struct weir_bytes *out);

/* --- a form: application/x-www-form-urlencoded or multipart/form-data, part by part as it arrives --- */
/* All of it comes from the client: a file's name is no path, a type no promise. UTF-8 is not checked. */
struct weir_form_part {
    const char *name;
    const char *filename; /* NULL: no file */
    const char *type;     /* "text/plain" if it said none */
};
/* The next part; content of the one before that was not read is skipped. 1; 0: no more. -EOPNOTSUPP: the content is no form; -EPROTO: it is
 * malformed; -EMSGSIZE: more than 1000 parts, or a head or a name of more than 8 KiB; -ENOMEM; -EPIPE. Errors stay. */
WEIR_API WEIR_CHECKED int weir_form_next(struct weir_request *, struct weir_form_part *out);
/* The part's content, decoded. 0: it has ended. Errors as above. */
WEIR_API WEIR_CHECKED ssize_t weir_form_read(struct weir_request *, void *buffer, size_t len);
/* All of it as a string. -EMSGSIZE: more than `max` bytes (1 MiB at the most); -EPROTO: it has a NUL; else as above. */
WEIR_API WEIR_CHECKED int weir_form_text(struct weir_request *, size_t max, const char **out);

/* --- the response: 0 or -errno; status and fields before its first write; it begins when 64 KiB are written, or at the end --- */
/* -EINVAL: not 200 to 599, bad bytes, a field that is the server's own (framing, Date); -ENOBUFS: too much; -EALREADY: it has begun. */
WEIR_API int weir_response_status(struct weir_response *, unsigned status);
WEIR_API int weir_response_field(struct weir_response *, const char *name, const char *value);
/* What will be written in all. Not said: told by the server if it is short, else in chunks. */
WEIR_API int weir_response_length(struct weir_response *, uint64_t len);
/* All of it, waiting while the queue is full. -EPIPE; -EMSGSIZE: more than the length that was said. For HEAD it goes nowhere. */
WEIR_API int weir_response_write(struct weir_response *, const void *bytes, size_t len);
/* At most 64 KiB, else -EMSGSIZE. */
WEIR_API int weir_response_printf(struct weir_response *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What is written so far goes on its way, and with it the head. */
WEIR_API int weir_response_flush(struct weir_response *);
/* Bytes of a regular file, without copying them. The descriptor stays the caller's. Said as the length if nothing else was. */
WEIR_API int weir_response_file(struct weir_response *, int fd, uint64_t offset, uint64_t len);
/* One call for the whole: status, Content-Type and text. */
WEIR_API int weir_response_text(struct weir_response *, unsigned status, const char *text);
WEIR_API int weir_response_json(struct weir_response *, unsigned status, const char *json);
/* A small page that says what the status means, instead of whatever was written. */
WEIR_API int weir_response_error(struct weir_response *, unsigned status);
