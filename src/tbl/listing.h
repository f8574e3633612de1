/*
 * tbl/listing.h: how the page of a folder looks, in either light and on a phone. Rows, no code.
 */
#pragma once

#define LISTING_STYLE                                                                              \
    "\n"                                                                                           \
    ":root{color-scheme:light dark;--paper:#fbf9f2;--ink:#0f252c;--soft:#54686d;\n"                \
    "--line:#0f252c24;--mark:#0a6d75;--over:#e7f0ec}\n"                                            \
    "@media(prefers-color-scheme:dark){:root{--paper:#0b1a20;--ink:#e6eee9;--soft:#9db4b3;\n"      \
    "--line:#e6eee924;--mark:#5fd0d3;--over:#12303a}}\n"                                           \
    "body{margin:0 auto;padding:1.6rem clamp(1rem,4vw,3rem) 3rem;max-width:64rem;\n"               \
    "background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\n"               \
    "h1{font-size:1.25rem;font-weight:600;margin:0 0 1.2rem;overflow-wrap:anywhere}\n"             \
    "h1 a{padding:.2em .1em}\n"                                                                    \
    "a{color:var(--mark);text-decoration:none}\n"                                                  \
    "a:hover{text-decoration:underline}\n"                                                         \
    ":focus-visible{outline:2px solid var(--mark);outline-offset:2px}\n"                           \
    "table{border-collapse:collapse;width:100%}\n"                                                 \
    "th,td{padding:.5rem .6rem;text-align:right;white-space:nowrap;color:var(--soft);\n"           \
    "border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}\n"                     \
    "th{font-size:.9rem;font-weight:600}\n"                                                        \
    "th a{color:var(--soft)}\n"                                                                    \
    "th[aria-sort] a{color:var(--ink)}\n"                                                          \
    "th[aria-sort=ascending] a::after{content:\" \\2191\"}\n"                                      \
    "th[aria-sort=descending] a::after{content:\" \\2193\"}\n"                                     \
    "th:first-child,td:first-child{width:99%;padding-left:.2rem;text-align:left;\n"                \
    "white-space:normal;overflow-wrap:anywhere}\n"                                                 \
    "td:first-child a{display:block}\n"                                                            \
    "tbody tr:hover{background:var(--over)}\n"                                                     \
    ".d a{font-weight:600}\n"                                                                      \
    "p{color:var(--soft);font-size:.9rem;margin:1.2rem .2rem}\n"                                   \
    "@media(max-width:32rem){th,td{padding:.55rem .35rem;font-size:.92rem}\n"                      \
    "time span{display:none}}\n"

/* SHA-256 of it in base64, for the page's Content-Security-Policy: no other style counts (a test computes it again). */
#define LISTING_STYLE_HASH "2m6Ac01N7pmWiIwuBI/09R5OfLYYmJWm5C5cPaDpPmk="
