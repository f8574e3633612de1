/*
 * service/log_fields.h: the fields of tbl/log_fields.h as numbers. Only service/log_format.c and log_line.c include it.
 */
#pragma once

#include "tbl/log_fields.h"

enum log_field {
#define L(NAME, name, help) LOG_##NAME,
    LOG_FIELDS(L)
#undef L
        LOG_FIELD_COUNT
};

const char *log_field_name(unsigned field);
