#include "http/target.h"

#include "base/bytes.h"
#include "base/text.h"

#include <string.h>

static struct slice sub(struct slice s, size_t from, size_t to)
{
    return (struct slice){(uint16_t)(s.at + from), (uint16_t)(to - from)};
}

static void split_query(struct weir_exchange *x, struct slice rest)
{
    struct weir_bytes text = exchange_slice(x, rest);
    const char *mark = text.len ? memchr(text.at, '?', text.len) : NULL;
    size_t path_len = mark ? (size_t)(mark - text.at) : text.len;
    x->path = sub(rest, 0, path_len);
    x->query = mark ? sub(rest, path_len + 1, text.len) : sub(rest, text.len, text.len);
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool is_sub_delim(char c)
{
    return c != '\0' && strchr("!$&'()*+,;=", c);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int escape_value(const char *at, size_t len)
{
    if (len < 3 || hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0)
        return -1;
    return hex_digit(at[1]) * 16 + hex_digit(at[2]);
}

/* The length of an IP literal with its brackets; 0: malformed. */
static size_t literal_len(struct weir_bytes host)
{
    const char *end = memchr(host.at, ']', host.len);
    size_t len = end ? (size_t)(end - host.at) + 1 : 0;
    if (len < 4)
        return 0;
    for (size_t i = 1; i + 1 < len; i++) {
        char c = host.at[i];
        if (hex_digit(c) < 0 && c != ':' && c != '.' && !(c == 'v' && i == 1))
            return 0;
    }
    return len;
}

static size_t reg_name_len(struct weir_bytes host)
{
    size_t n = 0;
    while (n < host.len) {
        if (host.at[n] == '%' && escape_value(host.at + n, host.len - n) >= 0)
            n += 3;
        else if (is_unreserved(host.at[n]) || is_sub_delim(host.at[n]))
            n++;
        else
            break;
    }
    return n;
}

bool host_valid(struct weir_bytes host)
{
    if (host.len == 0)
        return false;
    size_t n = host.at[0] == '[' ? literal_len(host) : reg_name_len(host);
    if (n == 0)
        return false;
    if (n == host.len)
        return true;
    if (host.at[n++] != ':')
        return false;
    if (host.len - n > 5)
        return false;
    unsigned port = 0;
    for (; n < host.len; n++) {
        if (host.at[n] < '0' || host.at[n] > '9')
            return false;
        port = port * 10 + (unsigned)(host.at[n] - '0');
    }
    return port <= 65535;
}

/* A valid host ends with a port other than 0 (an address with its colons ends with a bracket): a tunnel has none to fall
 * back on (RFC 9110 section 9.3.6). */
static bool has_port(struct weir_bytes host)
{
    bool any = false;
    size_t n = host.len;
    while (n > 0 && host.at[n - 1] >= '0' && host.at[n - 1] <= '9')
        any |= host.at[--n] != '0';
    return any && n > 0 && host.at[n - 1] == ':';
}

static bool split_absolute(struct weir_exchange *x)
{
    struct weir_bytes target = exchange_slice(x, x->target);
    size_t scheme = 0;
    if (target.len >= 7 && bytes_same((struct weir_bytes){target.at, 7}, BYTES("http://")))
        scheme = 7;
    else if (target.len >= 8 && bytes_same((struct weir_bytes){target.at, 8}, BYTES("https://")))
        x->https = true, scheme = 8;
    if (scheme == 0)
        return false;
    size_t end = scheme;
    while (end < target.len && target.at[end] != '/' && target.at[end] != '?')
        end++;
    x->form = TARGET_ABSOLUTE;
    x->host = sub(x->target, scheme, end);
    split_query(x, sub(x->target, end, target.len));
    return host_valid(
        exchange_slice(x, x->host)); /* user information is refused (RFC 9110 4.2.4) */
}

bool target_split(struct weir_exchange *x)
{
    struct weir_bytes target = exchange_slice(x, x->target);
    if (x->method == WEIR_METHOD_CONNECT) {
        x->form = TARGET_AUTHORITY;
        x->host = x->target;
        return host_valid(target) && has_port(target);
    }
    if (target.at[0] == '/') {
        x->form = TARGET_ORIGIN;
        split_query(x, x->target);
        return true;
    }
    if (x->method == WEIR_METHOD_OPTIONS && target.len == 1 && target.at[0] == '*') {
        x->form = TARGET_ASTERISK;
        x->path = x->target;
        return true;
    }
    return split_absolute(x);
}

/* Nothing to decode and nothing to remove. */
static bool is_plain(struct weir_bytes raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.at[i] == '%')
            return false;
        if (raw.at[i] == '/' && i + 1 < raw.len && (raw.at[i + 1] == '/' || raw.at[i + 1] == '.'))
            return false;
    }
    return true;
}

static enum path_error decode(struct weir_bytes raw, char *out, size_t *out_len)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i];
        if (c == '%') {
            int value = escape_value(raw.at + i, raw.len - i);
            if (value <= 0)
                return PATH_MALFORMED;
            if (value == '/')
                return PATH_FOREIGN;
            c = (char)value;
            i += 2;
        }
        out[len++] = c;
    }
    *out_len = len;
    return PATH_CLEAN;
}

/* RFC 3986 section 5.2.4, in place; doubled slashes are one. */
static size_t remove_dots(char *path, size_t len)
{
    size_t out =
        0; /* path[0, out) is clean and ends before the slash of the segment that comes next */
    for (size_t i = 0; i < len;) {
        size_t end = i + 1;
        while (end < len && path[end] != '/')
            end++;
        size_t seg = end - i - 1;
        bool last = end == len;
        const char *name = path + i + 1;
        if (seg == 2 && name[0] == '.' && name[1] == '.') {
            while (out > 0 && path[--out] != '/')
                ;
            if (last)
                path[out++] = '/';
        } else if (seg == 0 || (seg == 1 && name[0] == '.')) {
            if (last)
                path[out++] = '/';
        } else {
            memmove(path + out, path + i, end - i);
            out += end - i;
        }
        i = end;
    }
    return out;
}

enum path_error path_clean(struct weir_bytes raw, char *buffer, size_t size, struct weir_bytes *out)
{
    if (raw.len == 0 || raw.at[0] != '/')
        return PATH_MALFORMED;
    if (raw.len > size)
        return PATH_FOREIGN;
    if (is_plain(raw)) {
        *out = raw;
        return PATH_CLEAN;
    }
    size_t len;
    enum path_error error = decode(raw, buffer, &len);
    if (error != PATH_CLEAN)
        return error;
    *out = (struct weir_bytes){buffer, remove_dots(buffer, len)};
    return PATH_CLEAN;
}

bool path_hidden(struct weir_bytes path)
{
    struct weir_bytes known = BYTES("/.well-known");
    size_t i = 0;
    if (bytes_starts(path, known) && (path.len == known.len || path.at[known.len] == '/'))
        i = known.len;
    for (; i + 1 < path.len; i++)
        if (path.at[i] == '/' && path.at[i + 1] == '.')
            return true;
    return false;
}

void path_escape(struct text *text, struct weir_bytes path)
{
    for (size_t i = 0; i < path.len; i++) {
        char c = path.at[i];
        if (is_unreserved(c) || is_sub_delim(c) || c == '/' || c == ':' || c == '@') {
            text_char(text, c);
        } else {
            text_char(text, '%');
            text_char(text, "0123456789ABCDEF"[(uint8_t)c >> 4]);
            text_char(text, "0123456789ABCDEF"[(uint8_t)c & 15]);
        }
    }
}
