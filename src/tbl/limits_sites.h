/*
 * tbl/limits_sites.h: bounds of sites and their configuration, with their reasons. Rows, no code.
 */
#pragma once

#define LIMIT_CONFIG_BYTES (1024 * 1024) /* a file of sites: 20 lines each for a thousand */
#define LIMIT_CONFIG_KEYS  512 /* lines whose place is remembered, a site: ten times its rows */
#define LIMIT_SITES        256 /* each keeps a folder open, and one for what it coded */
#define LIMIT_SITE_NAMES                                                                           \
    1024 /* of all sites; the table has twice the room, so look-ups are short */
#define LIMIT_SITE_NAME      253 /* RFC 1035 section 2.3.4, without the dot at the end */
#define LIMIT_SITE_REDIRECTS 32  /* looked through one after the other */
#define LIMIT_SITE_FIELDS    32  /* set on each answer: more than any page of advice asks for */
