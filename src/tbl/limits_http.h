/*
 * tbl/limits_http.h: bounds of HTTP messages, routes and programs behind CGI. Included by tbl/limits.h.
 */
#pragma once

/* --- HTTP --- */
#define LIMIT_HTTP_LINE_BYTES 8192 /* request line; RFC 9112 section 3 asks for at least 8000 */
#define LIMIT_HTTP_LINE_MOST                                                                       \
    (16 * 1024)              /* --max-line; with the fields it fits offsets that are 16 bits wide */
#define LIMIT_HTTP_METHOD 32 /* a longer first word is no method anybody has (501, not 414) */
#define LIMIT_HTTP_FIELDS_BYTES                                                                    \
    (32 * 1024) /* all field lines; offsets into a head are 16 bits wide */
#define LIMIT_HTTP_FIELDS_MOST (47 * 1024) /* --max-fields */
#define LIMIT_HTTP_FIELDS      100 /* browsers send about 20, behind proxies 40; --max-field-count */
#define LIMIT_HTTP_FIELD_NAME  255 /* its length is kept in 8 bits; the longest known have 35 */
#define LIMIT_HTTP_EMPTY_LINES 4   /* before a request line (RFC 9112 section 2.2 asks for one) */
#define LIMIT_HTTP_BODY_BYTES  (1024ull * 1024 * 1024) /* request content, unless told otherwise */
#define LIMIT_HTTP_BODY_MOST                                                                       \
    (1ull                                                                                          \
     << 59) /* --max-body: hexadecimal sizes are shifted by four bits before they are compared */
#define LIMIT_HTTP_CHUNK_EXTRA                                                                     \
    (16 * 1024) /* extensions and trailers of one message: nobody reads them */
#define LIMIT_HTTP_DRAIN_BYTES   (256 * 1024)  /* unread content thrown away to keep a connection */
#define LIMIT_HTTP_LINGER_BYTES  (1024 * 1024) /* thrown away after the last answer, for its sake */
#define LIMIT_HTTP_LINGER_MS     2000          /* and for how long */
#define LIMIT_HTTP_HEAD_MS       10000         /* a slow phone needs seconds for a head, not more */
#define LIMIT_HTTP_IDLE_MS       30000 /* browsers come back within seconds or open a new connection */
#define LIMIT_HTTP_BODY_MS       30000 /* silence within request content */
#define LIMIT_HTTP_SEND_MS       30000 /* a peer that takes nothing; watched in steps of this */
#define LIMIT_HTTP_ANSWER_MS     60000 /* a handler that does nothing */
#define LIMIT_HTTP_RATE          128 /* --min-rate: content a second; a phone far out has ten times that */
#define LIMIT_HTTP_RATE_MOST     (1024 * 1024 * 1024) /* it has 32 bits */
#define LIMIT_HTTP_RATE_GRACE_MS 10000 /* content may stop for so long and then go on */
#define LIMIT_HTTP_RANGES                                                                          \
    64 /* of one request, before near ones are joined; PDF readers want dozens */
#define LIMIT_HTTP_RANGE_OVERLAPS 2   /* ranges that overlap earlier ones (RFC 9110 section 14.2) */
#define LIMIT_HTTP_RANGE_GAP      100 /* a part costs about as much in fields of its own */
#define LIMIT_HTTP_EXCHANGE_BYTES (128 * 1024) /* memory of one exchange beyond its pooled block */
#define LIMIT_HTTP_REPLY_FIELDS   (16 * 1024)  /* field lines of an answer; clients refuse more */

#define LIMIT_HTTP_REPLY_NAME 1024 /* the name of one of them */

#define LIMIT_HTTP_REROUTES 5 /* internal redirects of one request: a circle of them ends */

/* --- routing, CGI --- */
#define LIMIT_MOUNTS            32 /* parts of one site that are answered by something else than its files */
#define LIMIT_CGI_SEGMENTS      32 /* of a path, down to a program: each is looked at in turn */
#define LIMIT_CGI_HEAD          LIMIT_HTTP_REPLY_FIELDS /* the head of a program's answer */
#define LIMIT_CGI_ENV           (128 * 1024) /* a program's environment; what Linux takes in one string */
#define LIMIT_CGI_PLACES        32 /* default of --cgi-max: programs at once, of all workers */
#define LIMIT_CGI_PLACES_MAX    4096
#define LIMIT_CGI_WAITING       256   /* requests of a worker that wait for such a place */
#define LIMIT_CGI_WAIT_MS       10000 /* ... for so long; then 503 */
#define LIMIT_CGI_RETRY_MS      25    /* another worker's program may have ended meanwhile */
#define LIMIT_CGI_RETRY_AFTER_S 5     /* what a client is told with a 503 */
#define LIMIT_CGI_SILENT_MS     60000 /* default of --cgi-timeout */
#define LIMIT_CGI_LOOK_MS                                                                          \
    1000 /* a program that is waited for is looked at this often: is it silent, is the client there? */
#define LIMIT_CGI_GONE_MS                                                                          \
    3000 /* a client that has closed its side and is told nothing: it may want the answer still */
#define LIMIT_CGI_STATUS_MS                                                                        \
    200 /* between the end of a program's output and its own end, which may tell of a crash */
#define LIMIT_CGI_HELD_MS                                                                          \
    2000 /* the program has ended, another that it started holds its output open and says nothing */
#define LIMIT_CGI_AFTER_MS 2000               /* a program goes on after its answer is complete */
#define LIMIT_CGI_KILL_MS  1000               /* between SIGTERM and SIGKILL */
#define LIMIT_CGI_SPOOL    (64 * 1024 * 1024) /* default of --cgi-spool */
#define LIMIT_CGI_MEMORY   (1024ull * 1024 * 1024) /* default of --cgi-memory */
#define LIMIT_CGI_CPU_S    300 /* default of --cgi-cpu: a minute is what a big report takes */
#define LIMIT_CGI_FILES                                                                            \
    1024 /* descriptors: what select(2) knows, and what loops over all of them expect */
#define LIMIT_CGI_LOG_LINE 1024 /* of its standard error */
#define LIMIT_CGI_LOG_BYTES                                                                        \
    (64 * 1024) /* of one request: the rest is read, so that the program goes on, and left out */

/* --- HTTP, client side --- */
#define LIMIT_HTTP_RESPONSE_BYTES                                                                  \
    (1ull << 40) /* content of an answer: it is streamed, this only keeps sums from overflowing */
#define LIMIT_HTTP_RESPONSE_MS    60000 /* silence of a server that owes an answer */
#define LIMIT_HTTP_CLIENT_IDLE_MS 60000 /* a connection without requests; servers end it sooner */
#define LIMIT_HTTP_INTERIM        16    /* 1xx answers before the final one */
#define LIMIT_HTTP_PIPELINE                                                                        \
    48 /* requests on their way: fewer than LIMIT_OUT_SPANS, so that answers are always read */
