#include "echo_table.h"

#define METHOD(name, up, down)                                                                     \
    {                                                                                              \
        "/weir.test.Echo/" name, &weir__test__ask__descriptor, &weir__test__answer__descriptor,    \
            up, down                                                                               \
    }

const struct weir_rpc_method echo_methods[ECHO_METHODS] = {
    METHOD("Unary", false, false),
    METHOD("Down", false, true),
    METHOD("Up", true, false),
    METHOD("Both", true, true),
};

const struct weir_rpc_service echo_service = {
    .name = "weir.test.Echo",
    .descriptor = &weir__test__echo__descriptor,
    .methods = echo_methods,
    .method_count = ECHO_METHODS,
};
