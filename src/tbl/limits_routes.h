/*
 * tbl/limits_routes.h: bounds of routes, of answers written as blocking functions, and of forms.
 */
#pragma once

/* --- routes --- */
#define LIMIT_ROUTES           256 /* compared one after the other: 256 take some microseconds */
#define LIMIT_ROUTE_PATTERN    512 /* bytes */
#define LIMIT_ROUTE_PARAMETERS 8   /* names in one pattern */

/* --- blocking functions --- */
#define LIMIT_ANSWER_THREADS                                                                       \
    16 /* a driver: each waits for one client; a connection of its own driver needs one */
#define LIMIT_ANSWER_QUEUE   64           /* requests that wait for a thread; more get 503 */
#define LIMIT_ANSWER_RETRY_S "1"          /* Retry-After of that 503 */
#define LIMIT_ANSWER_STACK   (256 * 1024) /* of each thread, for the functions of others */
#define LIMIT_ANSWER_BUFFER                                                                        \
    (64 * 1024) /* content on its way, in each direction: some packets' worth on a fast line */
#define LIMIT_ANSWER_BYTES                                                                         \
    (4 * 1024 *                                                                                    \
     1024) /* strings of one request: 1 MiB of content as text takes twice that on its way */
#define LIMIT_ANSWER_FORMAT (64 * 1024) /* one formatted piece of an answer */

/* --- forms --- */
#define LIMIT_FORM_BUFFER   (16 * 1024) /* a part's head, or a name, fits into half of it */
#define LIMIT_FORM_HEAD     (8 * 1024)  /* browsers send some hundred bytes */
#define LIMIT_FORM_BOUNDARY 70          /* RFC 2046 section 5.1.1 */
#define LIMIT_FORM_PARTS    1000        /* a program that looks at each is not kept busy for long */
#define LIMIT_FORM_PREAMBLE (16 * 1024) /* before the first part: nobody sends any */
