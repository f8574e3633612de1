/*
 * message/schema_text.h: declarations as a .proto file has them, for people who ask what there is.
 */
#pragma once

#include "message/schema.h"
#include "message/wire.h"

/* A service, message or enum by its full name, or a method as "package.Service/Method" or "package.Service.Method": its declaration.
 * false: there is none of that name. */
bool schema_describe(const struct weir_schema *, const char *name, struct grow *out);
/* What a name that was not found may have meant; "": nothing comes near. */
const char *schema_like(const struct weir_schema *, const char *name);
