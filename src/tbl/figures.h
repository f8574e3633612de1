/*
 * tbl/figures.h: what is counted while a site is served. Rows, no code.
 */
#pragma once

/* F(NAME): plain counters. */
#define FIGURES(F)                                                                                 \
    F(CODE_OTHER) /* exchanges that ended, by the first digit of their status; 499: unanswered */  \
    F(CODE_2XX)                                                                                    \
    F(CODE_3XX)                                                                                    \
    F(CODE_4XX)                                                                                    \
    F(CODE_5XX)                                                                                    \
    F(FAILED) /* whose answer did not go out whole */                                              \
    F(SENT)   /* bytes of content */                                                               \
    F(OPENED) /* connections */                                                                    \
    F(CLOSED)

/* L("name"): limits, as the log calls them. The last one stands for those that are not here. */
#define FIGURE_LIMITS(L)                                                                           \
    L("max-line")                                                                                  \
    L("max-fields")                                                                                \
    L("max-field-count")                                                                           \
    L("max-body")                                                                                  \
    L("min-rate")                                                                                  \
    L("head-timeout")                                                                              \
    L("body-timeout")                                                                              \
    L("send-timeout")                                                                              \
    L("answer-timeout")                                                                            \
    L("chunk-extra")                                                                               \
    L("drain")                                                                                     \
    L("ranges")                                                                                    \
    L("access")                                                                                    \
    L("client-rate")                                                                               \
    L("client-connections")                                                                        \
    L("auth-attempts")                                                                             \
    L("cgi-max")                                                                                   \
    L("cgi-spool")                                                                                 \
    L("cgi-timeout")                                                                               \
    L("other")

/* B(upper bound in microseconds, the same in seconds as text): buckets of times. A ready reply takes 10 us, a far client
 * minutes; each is a half to a fifth of the next, so that a quantile is told within that. */
#define FIGURE_BUCKETS(B)                                                                          \
    B(10, "0.00001")                                                                               \
    B(20, "0.00002")                                                                               \
    B(50, "0.00005")                                                                               \
    B(100, "0.0001")                                                                               \
    B(200, "0.0002")                                                                               \
    B(500, "0.0005")                                                                               \
    B(1000, "0.001")                                                                               \
    B(2000, "0.002")                                                                               \
    B(5000, "0.005")                                                                               \
    B(10000, "0.01")                                                                               \
    B(20000, "0.02")                                                                               \
    B(50000, "0.05")                                                                               \
    B(100000, "0.1")                                                                               \
    B(200000, "0.2")                                                                               \
    B(500000, "0.5")                                                                               \
    B(1000000, "1")                                                                                \
    B(2000000, "2")                                                                                \
    B(5000000, "5")                                                                                \
    B(10000000, "10")                                                                              \
    B(30000000, "30")                                                                              \
    B(60000000, "60")

/* H(NAME, "phase"): times, as a histogram each. */
#define FIGURE_TIMES(H)                                                                            \
    H(TOTAL, "total")                                                                              \
    H(RECEIVE, "receive")                                                                          \
    H(PARSE, "parse")                                                                              \
    H(OPEN, "open")                                                                                \
    H(SEND, "send")
