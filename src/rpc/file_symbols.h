/*
 * rpc/file_symbols.h: what a .proto file declares, read from its serialized descriptor (descriptor.proto of protobuf).
 */
#pragma once

#include <weir/rpc.h>

/* Is this fully qualified name a message, an enum, a service, a method or an extension of the file? */
bool file_has_symbol(const struct weir_rpc_file *, struct weir_bytes name);
