/*
 * weir/rpc.h: what a gRPC service is, as tables: what protoc-gen-weir emits, and what clients and servers are built from.
 *
 * A ProtobufCServiceDescriptor says neither the path of a method nor which way it streams, so a service has a table of
 * its own beside it. All of it is constant data: nothing is registered, nothing is freed.
 */
#pragma once

#include "base.h"

#include <protobuf-c/protobuf-c.h>

/* How a call ended; the numbers of gRPC (doc/statuscodes.md there). */
enum weir_rpc_code {
    WEIR_RPC_OK = 0,
    WEIR_RPC_CANCELLED = 1,
    WEIR_RPC_UNKNOWN = 2,
    WEIR_RPC_INVALID_ARGUMENT = 3,
    WEIR_RPC_DEADLINE_EXCEEDED = 4,
    WEIR_RPC_NOT_FOUND = 5,
    WEIR_RPC_ALREADY_EXISTS = 6,
    WEIR_RPC_PERMISSION_DENIED = 7,
    WEIR_RPC_RESOURCE_EXHAUSTED = 8,
    WEIR_RPC_FAILED_PRECONDITION = 9,
    WEIR_RPC_ABORTED = 10,
    WEIR_RPC_OUT_OF_RANGE = 11,
    WEIR_RPC_UNIMPLEMENTED = 12,
    WEIR_RPC_INTERNAL = 13,
    WEIR_RPC_UNAVAILABLE = 14,
    WEIR_RPC_DATA_LOSS = 15,
    WEIR_RPC_UNAUTHENTICATED = 16,
};

/* "NOT_FOUND"; numbers that are none of them are called "UNKNOWN". */
WEIR_API const char *weir_rpc_code_name(int code);

/* How a call ended, in full. */
struct weir_rpc_status {
    int code;            /* enum weir_rpc_code */
    const char *message; /* UTF-8 by agreement; never NULL */
    struct weir_bytes
        details; /* grpc-status-details-bin: a google.rpc.Status, serialized; often empty */
};

/* One piece of metadata. A name has a to z, 0 to 9, ".", "_" and "-", and does not begin with "grpc-"; where it ends in "-bin" the value is any
 * bytes, else printable ASCII. Values that arrived have a NUL behind them. */
struct weir_rpc_entry {
    const char *name;
    struct weir_bytes value;
};

/* One method, in the order of the service's descriptor. Both descriptors NULL: its messages are bytes to this program. */
struct weir_rpc_method {
    const char *path; /* "/package.Service/Method" */
    const ProtobufCMessageDescriptor *input, *output;
    bool client_streaming, server_streaming;
};

/* A .proto file, for server reflection. */
struct weir_rpc_file {
    const char *name;  /* as others import it: "google/protobuf/empty.proto" */
    const void *bytes; /* its FileDescriptorProto, serialized */
    size_t len;
    const struct weir_rpc_file *const *imports;
    size_t import_count;
};

struct weir_rpc_service {
    const char *name; /* "package.Service" */
    const ProtobufCServiceDescriptor *descriptor;
    const struct weir_rpc_method *methods;
    unsigned method_count;
    const struct weir_rpc_file *file; /* where it is declared; NULL: not told by reflection */
};
