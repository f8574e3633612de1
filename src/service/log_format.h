/*
 * service/log_format.h: how a line of the access log looks: "combined", "json", or names of fields (tbl/log_fields.h) with
 * spaces or commas between them, which makes a line of name=value pairs; "json:" in front makes JSON of just those.
 */
#pragma once

#include "base/text.h"
#include "tbl/limits_log.h"

#include <weir/http.h>

#define LOG_STAMP_MAX 40

enum log_style { LOG_COMBINED, LOG_JSON, LOG_PAIRS };

struct log_format {
    enum log_style style;
    uint8_t field[LIMIT_LOG_FIELDS]; /* enum log_field */
    unsigned count;
    bool timed;               /* it needs the steps between */
    uint8_t mask_v4, mask_v6; /* bits of an address that are kept */
};

/* What a thread keeps of the last line it wrote. */
struct log_memo {
    int64_t second; /* `stamp` is for this one */
    char stamp[LOG_STAMP_MAX];
};

/* NULL texts: combined, and whole addresses. 0; -EINVAL, with what is wrong and what would be right in `why`. */
WEIR_CHECKED int log_format_read(const char *format, const char *mask, struct log_format *out,
                                 char *why, size_t why_size);
/* A whole line, its end included. `end_ns` is mono_ns at the end of the exchange. */
void log_format_write(const struct log_format *, struct log_memo *, struct text *,
                      struct weir_exchange *, uint64_t end_ns, int why);

/* The parts of it that the error log uses, too. */
/* The peer's address as text, with what the mask leaves of it; "-": not known. */
void log_add_peer(const struct log_format *, struct text *, struct weir_driver *,
                  struct weir_conn *, unsigned *out_port);
/* The same of the client, for whom a proxy may speak: his port is not known then. */
void log_add_client(const struct log_format *, struct text *, const struct weir_exchange *,
                    unsigned *out_port);
/* "2026-11-22T21:54:01.123Z" */
void log_add_utc(struct text *, int64_t wall_ns);
/* Between quotes, as JSON: what is no printable ASCII becomes \u00XX, one a byte. At most `max` bytes are taken. */
void log_add_json(struct text *, struct weir_bytes, size_t max);
/* "ECONNRESET"; of 0 or an unknown one "". */
const char *log_error_name(int why);
