/*
 * rpc/service_files.h: the .proto files of the services that come with a server, serialized, for reflection. Written by
 * src/rpc/service_files.py from the files of that name in src/rpc/proto.
 */
#pragma once

#include <weir/rpc.h>

extern const struct weir_rpc_file health_file, reflection_v1_file, reflection_v1alpha_file;
