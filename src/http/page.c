/* Small pages that say what a status means, and the tables of statuses and errors. */
#include "base/bytes.h"
#include "base/text.h"
#include "http/carry.h"
#include "tbl/statuses.h"

#include <errno.h>

#define PAGE_MAX 1024

struct weir_bytes status_line(unsigned status, char buffer[STATUS_LINE_MAX])
{
    switch (status) {
#define S(code, reason, sentence)                                                                  \
    case code:                                                                                     \
        return BYTES("HTTP/1.1 " #code " " reason "\r\n");
        STATUSES(S)
#undef S
    default:
        break;
    }
    struct text text;
    text_init(&text, buffer, STATUS_LINE_MAX);
    text_str(&text, "HTTP/1.1 ");
    text_u64(&text, status);
    text_str(&text, " \r\n");
    return (struct weir_bytes){text.at, text.len};
}

struct words {
    const char *reason, *sentence;
};

static struct words status_words(unsigned status)
{
    switch (status) {
#define S(code, reason, sentence)                                                                  \
    case code:                                                                                     \
        return (struct words){reason, sentence};
        STATUSES(S)
#undef S
    default:
        return (struct words){"Status", ""};
    }
}

unsigned http_error_status(enum http_error error)
{
    switch (error) {
#define E(name, status, h2, limit, text)                                                           \
    case HTTP_##name:                                                                              \
        return status;
        HTTP_ERRORS(E)
#undef E
    default:
        return 500;
    }
}

static const char *error_sentence(enum http_error error)
{
    switch (error) {
#define E(name, status, h2, limit, text)                                                           \
    case HTTP_##name:                                                                              \
        return text;
        HTTP_ERRORS(E)
#undef E
    default:
        return "";
    }
}

static const char *error_limit(enum http_error error)
{
    switch (error) {
#define E(name, status, h2, limit, text)                                                           \
    case HTTP_##name:                                                                              \
        return limit;
        HTTP_ERRORS(E)
#undef E
    default:
        return "";
    }
}

/* One small page, readable in the dark and on a phone; it needs nothing from elsewhere. */
static void write_page(struct text *page, unsigned status, struct words words)
{
    text_str(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    text_u64(page, status);
    text_char(page, ' ');
    text_str(page, words.reason);
    text_str(page, "</title>\n<style>:root{color-scheme:light dark}"
                   "body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:18vh auto;"
                   "padding:0 1em}h1{font-size:1.4em}</style>\n<h1>");
    text_u64(page, status);
    text_char(page, ' ');
    text_str(page, words.reason);
    text_str(page, "</h1>\n<p>");
    text_str(page, words.sentence);
    text_str(page, "</p>\n</html>\n");
}

static int reply_page(struct weir_exchange *x, unsigned status, const char *sentence)
{
    int rc = weir_reply_status(x, status);
    if (rc < 0)
        return rc;
    if (status >= 400 && x->http->error_page && x->http->error_page(x->http, x, status))
        return 0;
    struct words words = status_words(status);
    if (sentence)
        words.sentence = sentence;
    char *memory = weir_exchange_alloc(x, PAGE_MAX);
    if (!memory || !status_has_content(status))
        return weir_reply_bytes(x, "", 0, NULL);
    struct text page;
    text_init(&page, memory, PAGE_MAX);
    write_page(&page, status, words);
    rc = weir_reply_field(x, "Content-Type", "text/html; charset=utf-8");
    if (rc < 0) /* no room for it: the reply is understood without */
        page.len = 0;
    return weir_reply_bytes(x, page.at, page.len, NULL);
}

int weir_reply_error(struct weir_exchange *x, unsigned status)
{
    return reply_page(x, status, NULL);
}

static void forget_reply(struct weir_exchange *x)
{
    weir_drop(x->block_owner);
    x->block_owner = NULL;
    x->block = NULL;
    x->block_len = 0;
    x->lines.len = 0;
    x->trailers.len = 0;
    weir_drop(x->body.owner);
    x->body = (struct weir_span){0};
    x->parts = NULL;
}

int exchange_refuse(struct weir_exchange *x, enum http_error error)
{
    const char *limit = error_limit(error);
    if (*limit)
        exchange_struck(x, limit);
    if (x->begun)
        return -EALREADY;
    exchange_dismiss(x, -ECANCELED);
    forget_reply(x);
    x->close = true;
    if (error == HTTP_CLIENT_CONNECTIONS)
        (void)!weir_reply_field(x, "Retry-After", LIMIT_CROWD_RETRY_S);
    return reply_page(x, http_error_status(error), error_sentence(error));
}

int exchange_fail(struct weir_exchange *x, int error)
{
    unsigned status = 500;
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
        status = 404;
        break;
    case EACCES:
    case EPERM:
        status = 403;
        break;
    case EINVAL:
        status = 400;
        break;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
        status = 503;
        break;
    case ETIMEDOUT:
        status = 504;
        break;
    case EOPNOTSUPP:
        status = 501;
        break;
    default:
        break;
    }
    if (x->begun)
        return error;
    forget_reply(x);
    return weir_reply_error(x, status);
}
