/* The tables of echo.proto. */
#pragma once

#include "echo.pb-c.h"

#include <weir/rpc.h>

enum { ECHO_UNARY, ECHO_DOWN, ECHO_UP, ECHO_BOTH, ECHO_METHODS };
extern const struct weir_rpc_method echo_methods[ECHO_METHODS];
extern const struct weir_rpc_service echo_service;
