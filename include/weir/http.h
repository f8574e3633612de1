/*
 * weir/http.h: answer HTTP requests, whichever version carries them; and the file service.
 *
 * An exchange is one request and its answer. A handler is a set of calls that one exchange goes through; it never
 * blocks: slow work goes to a job (weir/driver.h). Bytes that weir_request_...() returns are borrowed until the
 * handler's call returns: ask again in the next one. All calls come from the connection's thread.
 *
 * A reply is: status and fields in any order, a body, then weir_reply_begin() unless the body's call did that. It may be
 * begun in any call of the handler, or later from a job's done(); until then only a deadline runs.
 */
#pragma once

#include "protocol.h"

struct weir_exchange;
struct weir_http;
struct weir_service;

enum weir_method {
    WEIR_METHOD_OTHER, /* answered 501 before any handler sees it */
    WEIR_METHOD_GET,
    WEIR_METHOD_HEAD,
    WEIR_METHOD_POST,
    WEIR_METHOD_PUT,
    WEIR_METHOD_DELETE,
    WEIR_METHOD_CONNECT,
    WEIR_METHOD_OPTIONS,
    WEIR_METHOD_TRACE,
    WEIR_METHOD_PATCH,
};

/* What give() says. */
enum { WEIR_FLOW_END, WEIR_FLOW_MORE, WEIR_FLOW_WAIT };
/* Bytes: a piece of content that is no longer can be given whole. */
#define WEIR_GIVE_WHOLE 4096

struct weir_handler {
    const char *name;
    size_t state_size; /* bytes of state, zeroed before start() */
    bool connects;     /* it also takes extended CONNECT (RFC 8441): see weir_request_protocol() */
    /* The head is complete. < 0: answered with the error page of that -errno. */
    int (*start)(struct weir_exchange *);
    /* Request content; the answer may be under way meanwhile. Fewer taken than given: the peer is held back until weir_exchange_wake().
     * NULL: it is thrown away. */
    ssize_t (*take)(struct weir_exchange *, const uint8_t *, size_t);
    /* The request's content is complete (also when there is none). NULL: nothing to do. */
    int (*end)(struct weir_exchange *);
    /* After weir_reply_begin(): add at most `room` bytes of content. WEIR_FLOW_MORE: some was added; WEIR_FLOW_WAIT: call again after
     * weir_exchange_wake(), or when there is more room where it was less than WEIR_GIVE_WHOLE; -errno cuts the connection. NULL: the
     * content was given whole, or there is none. */
    int (*give)(struct weir_exchange *, struct weir_out *, size_t room);
    /* The deadline of weir_exchange_arm() passed. NULL: 504, or the connection is cut when the reply has begun. */
    void (*expire)(struct weir_exchange *);
    /* The server wishes to stop, or the place is wanted: an endless answer ends now. Where that was so before this request came it is
     * called right after start(). NULL: nothing to do. */
    void (*leave)(struct weir_exchange *);
    /* Always, once, last; `why` is WEIR_DONE when the answer went out whole, -ECANCELED when the client wants no answer any more
     * (HTTP/2: it reset the stream), the handler did (weir_exchange_reset()) or the request was answered without it, since its content stopped
     * or is too much (408, 413, 400), or another -errno: of the connection. NULL: nothing to do. */
    void (*stop)(struct weir_exchange *, int why);
};

/* What a connection of HTTP needs: the `config` of weir_http1. Zeroes stand for defaults (src/tbl/limits.h). */
struct weir_http {
    /* Who answers? NULL: 404. *out_config is what weir_exchange_config() gives. */
    const struct weir_handler *(*route)(const struct weir_http *, struct weir_exchange *,
                                        const void **out_config);
    /* The exchange is over, also one that never reached a handler: for logs. May be NULL. */
    void (*ended)(const struct weir_http *, struct weir_exchange *, int why);
    /* An error is about to be answered, its status is set: reply with a page of one's own (fields that were set stay) and return
     * true, or return false: a small built-in one says it. Also for requests that never reached a handler. May be NULL. */
    bool (*error_page)(const struct weir_http *, struct weir_exchange *, unsigned status);
    /* May this connection be served? false: it is answered 503 and closed. What it leaves in *out_mark, released() is given in the same process when the
     * connection ends. Both, or neither. */
    bool (*admit)(const struct weir_http *, struct weir_conn *, uint64_t *out_mark);
    void (*released)(const struct weir_http *, uint64_t mark);
    /* A connection has opened, or ended for this reason: WEIR_DONE, or -errno that no exchange was ended with. May be NULL. */
    void (*connection)(const struct weir_http *, struct weir_conn *, bool opened, int why);
    void *arg;
    /* weir_http1: &weir_http2 takes over from a client that begins with its preface; NULL: it is answered 505. */
    const struct weir_protocol *http2;
    const char *server;       /* Server field; NULL: none */
    uint64_t body_max;        /* bytes of request content */
    unsigned line_max;        /* bytes of the request line: 16 KiB at the most */
    unsigned fields_max;      /* bytes of all field lines: 47 KiB at the most */
    unsigned field_count_max; /* field lines: 100 at the most */
    unsigned min_rate; /* bytes a second that content arrives with at least; WEIR_RATE_ANY: none */
    unsigned
        head_ms; /* from the first byte of a head to its end; also from opening to the first byte */
    unsigned idle_ms;   /* between requests */
    unsigned body_ms;   /* silence within content */
    unsigned send_ms;   /* a peer that takes nothing */
    unsigned answer_ms; /* a handler that does nothing */
    bool timed; /* the steps of each exchange are timed, by the driver's clock if it has one */
    bool server_timing; /* ... and told to the client, as Server-Timing */
};

#define WEIR_RATE_ANY UINT32_MAX

/* HTTP/1.1 (RFC 9112), clients of HTTP/1.0 included. */
WEIR_API extern const struct weir_protocol weir_http1;
/* HTTP/2 (RFC 9113), the same exchanges and handlers: for TLS, by the name "h2" (struct weir_tls_way), for clients that know beforehand, and
 * for `http2` above. */
WEIR_API extern const struct weir_protocol weir_http2;

/* --- the request --- */
/* 10, 11 or 20: HTTP/1.0, HTTP/1.1, HTTP/2. */
WEIR_API unsigned weir_request_version(const struct weir_exchange *);
/* What CONNECT asks to speak (RFC 8441), as "websocket"; empty: it is another request. A reply of 200 then begins it: request content is
 * what the client says, reply content what it is told. */
WEIR_API struct weir_bytes weir_request_protocol(const struct weir_exchange *);
WEIR_API enum weir_method weir_request_method(const struct weir_exchange *);
/* As sent: the target, its path ("/a%20b", "" or "*" for the other forms) and its query without the question mark. */
WEIR_API struct weir_bytes weir_request_target(const struct weir_exchange *);
WEIR_API struct weir_bytes weir_request_path(const struct weir_exchange *);
WEIR_API struct weir_bytes weir_request_query(const struct weir_exchange *);
/* Host and port, of the target or the Host field; empty for a client of HTTP/1.0 that sent none. */
WEIR_API struct weir_bytes weir_request_host(const struct weir_exchange *);
/* The request line as it came, perhaps cut; for logs. */
WEIR_API struct weir_bytes weir_request_line(const struct weir_exchange *);
/* A name for this request that no other has, NUL-terminated: up to 16 random digits of the process or thread, a hyphen, and the number
 * of the request there. Returns its length. */
#define WEIR_REQUEST_ID_MAX 40
WEIR_API size_t weir_request_id(const struct weir_exchange *, char text[WEIR_REQUEST_ID_MAX]);
/* The first field of that name; false: none. */
WEIR_API bool weir_request_field(const struct weir_exchange *, const char *name,
                                 struct weir_bytes *out_value);
/* All fields in order: start with *at = 0; false past the last. */
WEIR_API bool weir_request_next(const struct weir_exchange *, unsigned *at,
                                struct weir_bytes *out_name, struct weir_bytes *out_value);
/* Who asks, as the server found out (by a password, say); empty: nobody asked for that. */
WEIR_API struct weir_bytes weir_request_user(const struct weir_exchange *);
#define WEIR_LENGTH_UNKNOWN UINT64_MAX
/* Of the content: 0: none; WEIR_LENGTH_UNKNOWN: it ends where it ends. */
WEIR_API uint64_t weir_request_length(const struct weir_exchange *);

/* --- the reply; 0 or -errno: -EINVAL bad bytes or a field that is ours (framing, Date), -ENOBUFS too much, -EALREADY begun --- */
WEIR_API int weir_reply_status(struct weir_exchange *, unsigned status); /* 200 to 599; 200 */
WEIR_API int weir_reply_field(struct weir_exchange *, const char *name, const char *value);
/* Ready field lines ("A: b\r\nC: d\r\n"), one block a reply; borrowed until the exchange ends, held by `owner` if given. */
WEIR_API int weir_reply_block(struct weir_exchange *, const char *lines, size_t len,
                              struct weir_ref *owner);
/* Length of what give() will add; not said: chunked, or up to the connection's end. */
WEIR_API int weir_reply_length(struct weir_exchange *, uint64_t len);
WEIR_API int weir_reply_begin(struct weir_exchange *);
/* A field behind the content, before give() has said WEIR_FLOW_END, begun or not. HTTP/2 always sends it; HTTP/1.1 to a client that says
 * "TE: trailers", of an answer without a length (RFC 9110 section 6.5.1): others do without. -EINVAL also for a name that must come
 * before the content (RFC 9110 section 6.5.1). */
WEIR_API int weir_reply_trailer(struct weir_exchange *, const char *name, const char *value);
/* The whole content, and begin. `owner` NULL: static storage, or memory of weir_exchange_alloc(). None at all and no trailers: over
 * HTTP/2 the head is the whole answer (what gRPC calls Trailers-Only). */
WEIR_API int weir_reply_bytes(struct weir_exchange *, const void *, size_t, struct weir_ref *owner);
WEIR_API int weir_reply_file(struct weir_exchange *, int fd, uint64_t offset, uint64_t len,
                             struct weir_ref *owner);
/* A small page that says what the status means, and begin. Fields set before stay. */
WEIR_API int weir_reply_error(struct weir_exchange *, unsigned status);
WEIR_API int weir_reply_redirect(struct weir_exchange *, unsigned status, const char *location);

/* --- the exchange --- */
WEIR_API void *weir_exchange_state(struct weir_exchange *);
WEIR_API const void *weir_exchange_config(const struct weir_exchange *);
/* Memory that lives as long as the exchange, not zeroed. NULL: its share is used up, or no memory. */
WEIR_API void *weir_exchange_alloc(struct weir_exchange *, size_t len);
WEIR_API struct weir_driver *weir_exchange_driver(struct weir_exchange *);
/* NULL once the exchange has ended or the client is gone. */
WEIR_API struct weir_conn *weir_exchange_conn(struct weir_exchange *);
/* Slow work under way holds its exchange, which may outlive its client. */
WEIR_API void weir_exchange_hold(struct weir_exchange *);
WEIR_API void weir_exchange_drop(struct weir_exchange *);
/* give() has more, or take() can go on. */
WEIR_API void weir_exchange_wake(struct weir_exchange *);
WEIR_API void weir_exchange_arm(struct weir_exchange *, uint64_t mono_ns); /* 0 disarms */
/* It may be silent for long and has no length of its own (a talk in both directions): from now on only the deadline of weir_exchange_arm() holds, and
 * what the connection as a whole must do; once give() has said WEIR_FLOW_END, that of a peer that takes nothing, too. HTTP/1.1 takes no notice; HTTP/2
 * asks a client that is silent by PING, and ends it (-ETIMEDOUT) when that is in vain. */
WEIR_API void weir_exchange_last(struct weir_exchange *);
/* No answer, or no more of it, and the client is to see that: HTTP/2 resets the stream with this error code (RFC 9113 section 7; 0:
 * CANCEL), HTTP/1.1 the connection. Ends the exchange soon after the handler's call has returned. */
WEIR_API void weir_exchange_reset(struct weir_exchange *, uint32_t h2_code);
WEIR_API unsigned weir_exchange_status(
    const struct weir_exchange *); /* 499: ended before its answer began */
WEIR_API uint64_t weir_exchange_sent(const struct weir_exchange *); /* content bytes queued */
WEIR_API uint64_t
weir_exchange_started(const struct weir_exchange *); /* mono_ns of the first byte */
/* The limit that struck, by the name of its option ("max-line", "body-timeout"); NULL: none. For logs. */
WEIR_API const char *weir_exchange_limit(const struct weir_exchange *);

/* --- files --- */
struct weir_files_options {
    const char *access_log; /* NULL or "off"; "-": standard output; else a path, appended to */
    struct weir_http http;  /* deadlines and limits; its calls and arg are not used */
};
/* A service that answers GET and HEAD with the regular files under `root`, coded as the client likes, for weir_server_run(). `options` may be
 * NULL. -ENOENT, -ENOTDIR, -EACCES: of root or the log; -ENOSYS: Linux before 5.6; -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_files_open(const char *root,
                                          const struct weir_files_options *options,
                                          const struct weir_service **out);
WEIR_API void weir_files_close(const struct weir_service *);
