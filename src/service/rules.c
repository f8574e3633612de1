#include "service/rules.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/fields.h"
#include "http/target.h"
#include "tbl/limits.h"

#include <errno.h>
#include <string.h>

/* "302 /new": the status in front, if there is one. */
static unsigned read_status(struct weir_bytes *to)
{
    static const unsigned known[] = {301, 302, 303, 307, 308};
    uint64_t number;
    if (to->len < 4 || to->at[3] != ' ' || bytes_u64((struct weir_bytes){to->at, 3}, &number) < 0)
        return 301;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (number == known[i]) {
            *to = bytes_trim((struct weir_bytes){to->at + 4, to->len - 4});
            return known[i];
        }
    return 0;
}

static bool ends_open(struct weir_bytes text)
{
    return text.len >= 2 && text.at[text.len - 1] == '*' && text.at[text.len - 2] == '/';
}

/* A path of this site, or an address of another; never "//", which would be one by surprise. */
static bool is_target(struct weir_bytes to)
{
    bool path = to.len > 0 && to.at[0] == '/' && (to.len == 1 || to.at[1] != '/');
    bool address = bytes_starts(to, BYTES("http://")) || bytes_starts(to, BYTES("https://"));
    if (!path && !address)
        return false;
    for (size_t i = 0; i < to.len; i++)
        if ((unsigned char)to.at[i] <= ' ' || (unsigned char)to.at[i] >= 0x7f)
            return false;
    return to.len <= LIMIT_FILE_PATH_BYTES;
}

/* "FROM=TO", the status read already where there can be one. */
static int add_redirect(struct redirects *redirects, struct redirect redirect)
{
    redirect.rest = ends_open(redirect.from);
    if (!is_target(redirect.to) || redirect.from.len > LIMIT_FILE_PATH_BYTES)
        return -EINVAL;
    redirect.from.len -= redirect.rest;
    if (memchr(redirect.from.at, '*', redirect.from.len))
        return -EINVAL;
    if (redirect.rest && ends_open(redirect.to))
        redirect.to.len--;
    else if (redirect.rest && memchr(redirect.to.at, '*', redirect.to.len))
        return -EINVAL;
    else if (redirect.rest && redirect.to.at[redirect.to.len - 1] == '/')
        return -EINVAL; /* the star was forgotten */
    for (unsigned i = 0; i < redirects->count; i++)
        if (bytes_equal(redirects->at[i].from, redirect.from))
            return -EEXIST;
    if (redirects->count == LIMIT_SITE_REDIRECTS)
        return -ENOSPC;
    redirects->at[redirects->count++] = redirect;
    return 0;
}

static bool split(const char *text, struct redirect *out)
{
    const char *equals = strchr(text, '=');
    if (!equals || text[0] != '/')
        return false;
    *out = (struct redirect){.from = {text, (size_t)(equals - text)},
                             .to = bytes_trim(bytes_str(equals + 1))};
    return true;
}

int rules_add_redirect(struct rules *rules, const char *text)
{
    struct redirect redirect;
    if (!split(text, &redirect))
        return -EINVAL;
    redirect.status = read_status(&redirect.to);
    return redirect.status ? add_redirect(&rules->redirects, redirect) : -EINVAL;
}

int rules_add_rewrite(struct rules *rules, const char *text)
{
    struct redirect rewrite;
    if (!split(text, &rewrite) || rewrite.to.len == 0 || rewrite.to.at[0] != '/' ||
        memchr(rewrite.to.at, '#', rewrite.to.len))
        return -EINVAL;
    return add_redirect(&rules->rewrites, rewrite);
}

int rules_add_field(struct rules *rules, const char *text)
{
    static const char *const ours[] = {"content-length", "transfer-encoding", "connection",
                                       "date",           "keep-alive",        "content-type",
                                       "content-range",  "content-encoding",  "etag",
                                       "last-modified",  "accept-ranges",     "location"};
    struct field_rule rule = {.value = ""};
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (len == 0 || len >= sizeof(rule.name) || field_run(text, len, BYTE_TOKEN) < len)
        return -EINVAL;
    memcpy(rule.name, text, len);
    rule.value = colon + 1 + strspn(colon + 1, " \t");
    if (field_value_run(rule.value, strlen(rule.value)) < strlen(rule.value))
        return -EINVAL;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (bytes_same(bytes_str(rule.name), bytes_str(ours[i])))
            return -EINVAL;
    unsigned at = 0;
    while (at < rules->field_count &&
           !bytes_same(bytes_str(rules->fields[at].name), bytes_str(rule.name)))
        at++;
    if (at == LIMIT_SITE_FIELDS)
        return -ENOSPC;
    rules->fields[at] = rule;
    rules->field_count += at == rules->field_count;
    return 0;
}

int rules_add_security(struct rules *rules)
{
    static const char own_content[] =
        "Content-Security-Policy: default-src 'self'; style-src 'self' "
        "'unsafe-inline'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'self'; object-src 'none'";
    static const char *const fields[] = {
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: SAMEORIGIN",
        "Referrer-Policy: strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy: same-origin",
        own_content,
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && rc == 0; i++)
        rc = rules_add_field(rules, fields[i]);
    return rc;
}

const struct redirect *rules_find(const struct redirects *redirects, struct weir_bytes path)
{
    for (unsigned i = 0; i < redirects->count; i++) {
        const struct redirect *redirect = &redirects->at[i];
        if (redirect->rest ? bytes_starts(path, redirect->from) : bytes_equal(path, redirect->from))
            return redirect;
    }
    return NULL;
}

void redirect_target(const struct redirect *redirect, struct weir_bytes path,
                     struct weir_bytes query, struct text *t)
{
    text_add(t, redirect->to.at, redirect->to.len);
    if (redirect->rest && redirect->to.at[redirect->to.len - 1] == '/')
        path_escape(
            t, (struct weir_bytes){path.at + redirect->from.len, path.len - redirect->from.len});
    if (query.len > 0) {
        text_char(t, memchr(redirect->to.at, '?', redirect->to.len) ? '&' : '?');
        text_add(t, query.at, query.len);
    }
}

int rules_set_fields(const struct rules *rules, struct weir_exchange *x, bool files)
{
    const struct weir_bytes sniff = BYTES("X-Content-Type-Options");
    bool others = x->lines.len > 0; /* set by who came before (--hsts) */
    int rc = 0;
    for (unsigned i = 0; i < rules->field_count && rc == 0; i++) {
        struct weir_bytes name = bytes_str(rules->fields[i].name);
        if (others)
            reply_field_drop(x, name);
        if (rules->fields[i].value[0] && !(files && bytes_same(name, sniff)))
            rc = weir_reply_field(x, rules->fields[i].name, rules->fields[i].value);
    }
    return rc;
}

static int redirect_start(struct weir_exchange *x)
{
    const struct redirect *redirect = weir_exchange_config(x);
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path, query = weir_request_query(x);
    if (path_clean(weir_request_path(x), buffer, sizeof(buffer), &path) != PATH_CLEAN)
        return -EINVAL;
    size_t size = redirect->to.len + 3 * path.len + query.len + 3;
    char *location = weir_exchange_alloc(x, size);
    if (!location)
        return -ENOMEM;
    struct text t;
    text_init(&t, location, size);
    redirect_target(redirect, path, query, &t);
    return weir_reply_redirect(x, redirect->status, text_end(&t));
}

const struct weir_handler redirect_handler = {.name = "redirect", .start = redirect_start};
