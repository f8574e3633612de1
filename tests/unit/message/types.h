/* Types of tests/protos, at run time: a FileDescriptorSet that the build has made with protoc. */
#pragma once

#include "../base/check.h"

#include <weir/message.h>

#include <stdio.h>
#include <stdlib.h>

#define SET_MAX (1024 * 1024)

static inline struct weir_schema *types_load(void)
{
    struct weir_schema *schema;
    char why[256] = "";
    char *bytes = malloc(SET_MAX);
    FILE *file = fopen(TYPES_SET, "rb");
    assert_non_null(bytes);
    assert_non_null(file);
    size_t len = fread(bytes, 1, SET_MAX, file);
    fclose(file);
    assert_int_equal(weir_schema_new(&schema), 0);
    if (weir_schema_add_set(schema, bytes, len, why, sizeof(why)) < 0 ||
        weir_schema_link(schema, why, sizeof(why)) < 0)
        fail_msg("%s", why);
    free(bytes);
    return schema;
}
