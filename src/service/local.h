/*
 * service/local.h: what a worker keeps for a site: the only memory here that is written to. It is driver->local.
 */
#pragma once

#include "service/account.h"
#include "service/auth.h"
#include "service/cgi.h"
#include "service/coding.h"
#include "service/file_cache.h"
#include "service/routes.h"

/* What an Accept-Encoding said: there are few of them in the world, and one client always sends the same. */
struct accept_memo {
    uint8_t len;
    char text[47];
    struct accept accept;
};
#define ACCEPT_MEMOS 8

struct local {
    struct file_cache files;
    struct coding_jobs coding;
    struct accept_memo accepts[ACCEPT_MEMOS]; /* by length */
    struct account_hand account;
    struct cgi_queue cgi;
    struct auth_jobs auth;
    struct route_memo route;
};
