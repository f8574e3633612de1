/*
 * service/secure.h: what a site says about HTTP and HTTPS: elsewhere is safer, and stay there.
 *
 * Each is made once out of a site's settings, before any worker, and only read from then on.
 */
#pragma once

#include <weir/http.h>

/* The settings of a listener that differ from the site's own. `http` is for weir_http1. */
struct secure_http {
    struct weir_http http;         /* the first: route() gets it */
    const struct weir_http *inner; /* borrowed: from the site */
    unsigned port;                 /* where HTTPS is; 443 goes without saying */
};

/* Every request is sent to the same address under https: 308, and 400 for one that names no host. */
void secure_redirect(struct secure_http *, const struct weir_http *site, unsigned port);
/* Every answer says for two years, for this name and those under it: HTTPS only (RFC 6797). */
void secure_stay(struct secure_http *, const struct weir_http *site);
