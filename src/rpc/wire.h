/*
 * rpc/wire.h: how gRPC writes things down (doc/PROTOCOL-HTTP2.md there), without any I/O: messages behind five bytes, status,
 * metadata, timeouts. Clients and servers both use it.
 */
#pragma once

#include <weir/message.h>
#include <weir/out.h>
#include <weir/rpc.h>

/* --- message.c: one message, framed --- */

#define RPC_PREFIX 5

struct rpc_message {
    struct weir_ref ref; /* first */
    struct rpc_message *next;
    size_t len, at; /* bytes; those that were sent */
    uint8_t bytes[];
};

/* NULL: no memory. `len` bytes behind the prefix are the caller's to fill. */
struct rpc_message *rpc_message_new(size_t len);
/* Content that is worth it is compressed when `gzip`. 0, -EMSGSIZE: longer than `max`, -ENOMEM. */
int rpc_message_pack(const ProtobufCMessage *, bool gzip, size_t max, struct rpc_message **out);
int rpc_message_copy(const void *bytes, size_t len, bool gzip, size_t max,
                     struct rpc_message **out);

/* Checked first (weir/message.h). NULL: it is none of this kind, or no memory. */
static inline ProtobufCMessage *rpc_unpack(const ProtobufCMessageDescriptor *descriptor,
                                           const void *bytes, size_t len)
{
    const struct weir_message_limits limits = {.bytes_max = len + 1}; /* its length was judged */
    ProtobufCMessage *message;
    return weir_message_unpack(descriptor, bytes, len, &limits, &message, NULL, 0) < 0 ? NULL
                                                                                       : message;
}

/* A queue of them. */
struct rpc_queue {
    struct rpc_message *first, *last;
    size_t len; /* bytes that were not sent or read yet */
    size_t count;
};
/* The memory it takes: messages can be empty. */
static inline size_t rpc_queue_held(const struct rpc_queue *q)
{
    return q->len + q->count * sizeof(struct rpc_message);
}
void rpc_queue_add(struct rpc_queue *, struct rpc_message *); /* takes it */
struct rpc_message *rpc_queue_take(struct rpc_queue *);       /* NULL: empty */
/* Moves `len` bytes, at most all of them, into an output queue. */
void rpc_queue_give(struct rpc_queue *, struct weir_out *, size_t len);
void rpc_queue_done(struct rpc_queue *);

/* Cuts what arrives into messages. Zeroed at first, and: */
struct rpc_deframer {
    size_t max; /* of content, also once it is decompressed */
    bool gzip;  /* the peer has said that messages may be compressed */
    uint8_t prefix[RPC_PREFIX];
    uint8_t prefix_len;
    uint32_t want;
    size_t size;
    struct rpc_message *part; /* content so far */
};
/* Bytes used up, at least one; *out_message: one is whole (NULL: not yet), without its prefix. -EMSGSIZE: longer than max, -EPROTO: none that gRPC
 * knows, -EOPNOTSUPP: compressed, and nobody said how; -EBADMSG: it cannot be decompressed; -ENOMEM. */
ssize_t rpc_deframe(struct rpc_deframer *, const uint8_t *, size_t,
                    struct rpc_message **out_message);
/* Did it end between two messages? */
bool rpc_deframer_clean(const struct rpc_deframer *);
void rpc_deframer_done(struct rpc_deframer *);

/* --- gzip.c --- */

/* 0; -EMSGSIZE: it would be longer than `max`; -EBADMSG; -ENOMEM. */
int rpc_gunzip(const uint8_t *, size_t, size_t max, struct rpc_message **out);
/* With its prefix. -ENODATA: it would be no shorter. */
int rpc_gzip(const uint8_t *, size_t, struct rpc_message **out);

/* --- status.c --- */

int rpc_code_of_http(unsigned status);
int rpc_code_of_h2(uint32_t error);
/* Why a call of ours, or a connection, failed. */
int rpc_code_of_errno(int error);
/* 0 to 16, or WEIR_RPC_UNKNOWN. */
int rpc_code_parse(struct weir_bytes);
/* grpc-message: what is not printable ASCII, and "%", as %XX. `out` has 3 * len + 1 bytes. Returns the length. */
size_t rpc_percent_encode(const char *, size_t len, char *out);
/* In place, with a NUL behind it (there is room for it). What is no escape stays as it is. */
size_t rpc_percent_decode(char *, size_t len);

/* --- metadata.c --- */

/* A list of entries in one growing block. Zeroed at first. */
struct rpc_entries {
    struct weir_rpc_entry *at;
    unsigned count, size;
};
/* As it arrived; a name that ends in "-bin" has its value decoded, and one value may become several. 0; -ENOBUFS: too many; -EBADMSG: no base64;
 * -ENOMEM. */
int rpc_entries_add(struct rpc_entries *, struct weir_bytes name, struct weir_bytes value);
/* The same, with the value as it is. */
int rpc_entries_add_raw(struct rpc_entries *, struct weir_bytes name, struct weir_bytes value);
void rpc_entries_done(struct rpc_entries *);
/* May a program send it? 0 or -EINVAL. */
int rpc_entry_check(const struct weir_rpc_entry *);
bool rpc_name_is_binary(struct weir_bytes name);
#define RPC_BASE64_LEN(len) (((len) + 2) / 3 * 4)
/* Without padding. Returns the length. */
size_t rpc_base64_encode(const void *, size_t len, char *out);
/* With padding or without. -EBADMSG. `out` has 3 * len / 4 bytes. */
ssize_t rpc_base64_decode(struct weir_bytes, uint8_t *out);

/* --- timeout.c --- */

#define RPC_TIMEOUT_MAX 16
/* At most eight digits and a unit; rounded up. NUL-terminated; returns the length. */
size_t rpc_timeout_format(uint64_t ns, char text[RPC_TIMEOUT_MAX]);
/* 0 or -EINVAL. */
int rpc_timeout_parse(struct weir_bytes, uint64_t *out_ns);
