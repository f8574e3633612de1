/*
 * service/local.h: what a worker keeps for a site: the only memory here that is written to. It is driver->local.
 */
#pragma once

#include "service/access_log.h"
#include "service/file_cache.h"

struct local {
    struct file_cache files;
    struct log_buffer log;
};
