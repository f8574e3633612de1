/*
 * service/mime.h: the media type of a file by the ending of its name (tbl/mime.h).
 */
#pragma once

#include <weir/base.h>

/* Never NULL. `name` may have folders in front. */
const char *mime_type(struct weir_bytes name);
