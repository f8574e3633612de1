/* The tables of bench.proto, for both programs. */
#pragma once

#include "bench.pb-c.h"

#include <weir/rpc.h>

static const struct weir_rpc_method echo_method = {
    .path = "/weir.bench.Bench/Echo",
    .input = &weir__bench__bytes__descriptor,
    .output = &weir__bench__bytes__descriptor,
};
