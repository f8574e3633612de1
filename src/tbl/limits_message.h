/*
 * tbl/limits_message.h: bounds of protobuf messages, their descriptors and their JSON. Included by tbl/limits.h.
 */
#pragma once

#define LIMIT_MESSAGE_DEPTH                                                                        \
    100 /* messages inside messages: what protobuf's own C++ and Python take; 100 levels of unpack need 120 KiB of stack */
#define LIMIT_MESSAGE_BYTES (4 * 1024 * 1024) /* of one message, unless told otherwise: as gRPC's */
#define LIMIT_MESSAGE_GROWTH                                                                       \
    64 /* bytes of memory for a byte of message: an empty message in a list costs two bytes and a struct */
#define LIMIT_MESSAGE_SMALL  (64 * 1024) /* ... and so much without asking */
#define LIMIT_MESSAGE_NUMBER 536870911   /* the highest number of a field (29 bits) */

#define LIMIT_JSON_DEPTH 200 /* brackets inside brackets: a map or a list has two a message */
#define LIMIT_JSON_BYTES (64 * 1024 * 1024) /* one message as text */

#define LIMIT_SCHEMA_BYTES                                                                         \
    (32 * 1024 * 1024)         /* descriptors: all of a big company's come to 10 MiB */
#define LIMIT_SCHEMA_GROWTH 24 /* memory for a byte of them: tables beside what was read */
#define LIMIT_SCHEMA_SMALL  (256 * 1024) /* ... and so much without asking */
#define LIMIT_SCHEMA_NESTED 32           /* types declared inside types */
#define LIMIT_SCHEMA_FILES  4096         /* files in one set */
#define LIMIT_SCHEMA_STRUCT                                                                        \
    (1024 *                                                                                        \
     1024) /* bytes of one message's struct: 60,000 fields; one such is made for each that comes */

/* --- weir call --- */
#define LIMIT_CALL_MESSAGE       (64 * 1024 * 1024) /* what is answered: a person looks at it */
#define LIMIT_CALL_LINE          (64 * 1024 * 1024) /* of standard input, one message */
#define LIMIT_CALL_BATCH         64                 /* messages sent before answers are looked at */
#define LIMIT_CALL_LOOK_MS       200 /* waiting for both ends: deadlines and signs of life come between */
#define LIMIT_CALL_REFLECTION_MS 30000 /* for all of a server's types */

#define LIMIT_PLUGIN_BYTES (64 * 1024 * 1024) /* what protoc sends, and what it gets */
#define LIMIT_PLUGIN_GROWTH                                                                        \
    64 /* memory for a byte of it: C names, made again where they are used */
#define LIMIT_SCHEMA_IMPORTS 65536 /* in all: as many as a big company's */
