/* Reading a format; and the parts of a line. */
#include "service/log_format.h"

#include "base/bytes.h"
#include "http/date.h"
#include "http/exchange.h"
#include "service/log_fields.h"
#include "tbl/limits.h"

#include <weir/driver.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
} names[] = {
#define L(NAME, name, help) [LOG_##NAME] = {name},
    LOG_FIELDS(L)
#undef L
};

const char *log_field_name(unsigned field)
{
    return names[field].name;
}

static int add_field(struct log_format *format, const char *word, size_t len, char *why,
                     size_t why_size)
{
    for (unsigned i = 0; i < LOG_FIELD_COUNT; i++) {
        if (strlen(names[i].name) != len || memcmp(names[i].name, word, len) != 0)
            continue;
        if (memchr(format->field, (int)i, format->count)) {
            snprintf(why, why_size, "the field %s of the log is named twice", names[i].name);
            return -EINVAL;
        }
        format->field[format->count++] = (uint8_t)i;
        format->timed |= i >= LOG_RECEIVE;
        return 0;
    }
    snprintf(why, why_size, "no field of the log is called '%.*s'; there are %s", (int)len, word,
#define L(NAME, name, help) name " "
             LOG_FIELDS(L)
#undef L
    );
    return -EINVAL;
}

static int read_fields(struct log_format *format, const char *text, char *why, size_t why_size)
{
    int rc = 0;
    while (rc == 0 && *(text += strspn(text, " ,"))) {
        size_t len = strcspn(text, " ,");
        rc = add_field(format, text, len, why, why_size);
        text += len;
    }
    if (rc == 0 && format->count == 0) {
        snprintf(why, why_size, "a format is combined, json, or names of fields");
        rc = -EINVAL;
    }
    return rc;
}

/* "24/48" */
static int read_mask(struct log_format *format, const char *text, char *why, size_t why_size)
{
    unsigned v4, v6;
    int end = 0;
    if (sscanf(text, "%2u/%3u%n", &v4, &v6, &end) == 2 && !text[end] && v4 <= 32 && v6 <= 128 &&
        text[0] >= '0' && text[0] <= '9') {
        format->mask_v4 = (uint8_t)v4;
        format->mask_v6 = (uint8_t)v6;
        return 0;
    }
    snprintf(why, why_size,
             "a mask is the bits that are kept of an address of version 4 and of version 6, "
             "as 24/48, not '%s'",
             text);
    return -EINVAL;
}

_Static_assert((int)LOG_FIELD_COUNT <= LIMIT_LOG_FIELDS, "a format can have them all");

static const char json_default[] =
    "time remote user host method target protocol status bytes referrer "
    "agent id limit why total receive parse open first last";

int log_format_read(const char *text, const char *mask, struct log_format *out, char *why,
                    size_t why_size)
{
    struct log_format format = {.style = LOG_COMBINED, .mask_v4 = 32, .mask_v6 = 128};
    int rc = mask ? read_mask(&format, mask, why, why_size) : 0;
    if (rc == 0 && text && strcmp(text, "json") == 0) {
        format.style = LOG_JSON;
        rc = read_fields(&format, json_default, why, why_size);
    } else if (rc == 0 && text && strncmp(text, "json:", 5) == 0) {
        format.style = LOG_JSON;
        rc = read_fields(&format, text + 5, why, why_size);
    } else if (rc == 0 && text && strcmp(text, "combined") != 0) {
        format.style = LOG_PAIRS;
        rc = read_fields(&format, text, why, why_size);
    }
    if (rc == 0)
        *out = format;
    return rc;
}

static void mask_bytes(uint8_t *at, size_t len, unsigned bits)
{
    for (size_t i = 0; i < len; i++, bits -= bits < 8 ? bits : 8)
        at[i] &= (uint8_t)(bits < 8 ? 0xff00u >> bits : 0xff);
}

/* An address of version 4 within one of version 6 is one of version 4. */
static void mask_peer(const struct log_format *format, char *text, size_t size)
{
    uint8_t ip[16];
    if (inet_pton(AF_INET, text, ip) == 1) {
        mask_bytes(ip, 4, format->mask_v4);
        (void)inet_ntop(AF_INET, ip, text, (socklen_t)size);
    } else if (inet_pton(AF_INET6, text, ip) == 1) {
        bool mapped = IN6_IS_ADDR_V4MAPPED((struct in6_addr *)ip);
        mask_bytes(ip + (mapped ? 12 : 0), mapped ? 4 : 16,
                   mapped ? format->mask_v4 : format->mask_v6);
        (void)inet_ntop(AF_INET6, ip, text, (socklen_t)size);
    }
}

/* `size` is what there is room for. */
static void add_address(const struct log_format *format, struct text *t, char *peer, size_t size)
{
    size_t len = strlen(peer);
    char *at = peer;
    if (len > 2 && peer[0] == '[' && peer[len - 1] == ']') { /* no log reader expects brackets */
        at++;
        len -= 2;
        at[len] = '\0';
    }
    if (format->mask_v4 < 32 || format->mask_v6 < 128) {
        at[strcspn(at, "%")] = '\0'; /* a zone says which card it was */
        mask_peer(format, at, size - 1);
        len = strlen(at);
    }
    text_add(t, at, len);
}

void log_add_peer(const struct log_format *format, struct text *t, struct weir_driver *driver,
                  struct weir_conn *conn, unsigned *out_port)
{
    char peer[128];
    *out_port = 0;
    if (!conn || !driver->ops->peer ||
        driver->ops->peer(driver, conn, peer, sizeof(peer), out_port) < 0)
        text_char(t, '-');
    else
        add_address(format, t, peer, sizeof(peer));
}

void log_add_client(const struct log_format *format, struct text *t, const struct weir_exchange *x,
                    unsigned *out_port)
{
    char client[128];
    if (!x->client) {
        log_add_peer(format, t, x->driver, x->conn, out_port);
        return;
    }
    *out_port = 0;
    snprintf(client, sizeof(client), "%s", x->client);
    add_address(format, t, client, sizeof(client));
}

static void digits(struct text *t, unsigned value, unsigned count)
{
    char text[8];
    for (unsigned i = count; i-- > 0; value /= 10)
        text[i] = (char)('0' + value % 10);
    text_add(t, text, count);
}

void log_add_utc(struct text *t, int64_t wall_ns)
{
    struct date d;
    date_split(wall_ns / (int64_t)WEIR_NS_PER_S, &d);
    digits(t, (unsigned)d.year, 4);
    text_char(t, '-');
    digits(t, d.month, 2);
    text_char(t, '-');
    digits(t, d.day, 2);
    text_char(t, 'T');
    digits(t, d.hour, 2);
    text_char(t, ':');
    digits(t, d.minute, 2);
    text_char(t, ':');
    digits(t, d.second, 2);
    text_char(t, '.');
    digits(t, (unsigned)(wall_ns % (int64_t)WEIR_NS_PER_S / 1000000), 3);
    text_char(t, 'Z');
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void log_add_json(struct text *t, struct weir_bytes bytes, size_t max)
{
    size_t len = bytes.len < max ? bytes.len : max;
    text_char(t, '"');
    for (size_t i = 0; i < len;) {
        size_t from = i;
        while (i < len && is_plain(bytes.at[i]))
            i++;
        text_add(t, bytes.at + from, i - from);
        if (i == len)
            break;
        uint8_t c = (uint8_t)bytes.at[i++];
        const char escape[6] = {
            '\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
        if (c == '"' || c == '\\')
            text_add(t, (const char[2]){'\\', (char)c}, 2);
        else
            text_add(t, escape, sizeof(escape));
    }
    text_char(t, '"');
}

const char *log_error_name(int why)
{
    const char *name = why < 0 ? strerrorname_np(-why) : NULL;
    return name ? name : "";
}
