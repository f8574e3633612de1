/*
 * service/files.h: GET and HEAD of files below a root, as a handler. Its config is a struct files, the worker's cache is
 * found in driver->local (service/site.h).
 */
#pragma once

#include "service/file_cache.h"

#include <weir/http.h>

struct files {
    int root;
    struct file_budget budget;
};

extern const struct weir_handler files_handler;
