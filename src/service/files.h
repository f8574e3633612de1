/*
 * service/files.h: GET and HEAD of what a folder holds, as a handler. Its config is a struct folder; the worker's cache is found
 * in driver->local (service/local.h).
 */
#pragma once

#include "service/folder.h"

#include <weir/http.h>

extern const struct weir_handler files_handler;
/* Answers with the folder's own page for that status, if it has one: the status and fields set before stay. */
bool files_error_page(const struct folder *, struct weir_exchange *, unsigned status);
/* For struct coding_jobs. */
void files_resume(struct weir_exchange *);
