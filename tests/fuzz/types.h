/* types.h: the types of tests/protos, as the build has written them down. */
#pragma once

#include <weir/message.h>

#include <stdio.h>
#include <stdlib.h>

#define TYPES_SET_MAX (1024 * 1024)

/* For the life of the program. */
static inline struct weir_schema *types_schema(void)
{
    struct weir_schema *schema;
    char *set = malloc(TYPES_SET_MAX);
    FILE *file = fopen(TYPES_SET, "rb");
    if (!file || !set) {
        perror(TYPES_SET);
        abort();
    }
    size_t len = fread(set, 1, TYPES_SET_MAX, file);
    fclose(file);
    if (weir_schema_new(&schema) < 0 || weir_schema_add_set(schema, set, len, NULL, 0) < 0 ||
        weir_schema_link(schema, NULL, 0) < 0)
        abort();
    free(set);
    return schema;
}
