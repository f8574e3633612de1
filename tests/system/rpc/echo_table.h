/* Short names for the tables of echo.proto. */
#pragma once

#include "echo.pb-weir.h"

enum { ECHO_UNARY, ECHO_DOWN, ECHO_UP, ECHO_BOTH };
#define echo_service weir__test__echo__rpc
#define echo_methods weir__test__echo__rpc.methods
