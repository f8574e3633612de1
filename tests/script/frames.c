#include "frames.h"

#include "base/bytes.h"
#include "base/text.h"
#include "h2/wire.h"

#include <ctype.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX  (4 * 1024 * 1024)
#define FRAME_MAX (64 * 1024)
#define SHOWN     64 /* content longer than this is its length and a sum */

static const struct {
    const char *name;
    uint8_t type;
} types[] = {{"DATA", WIRE_DATA},
             {"HEADERS", WIRE_HEADERS},
             {"PRIORITY", WIRE_PRIORITY},
             {"RST_STREAM", WIRE_RST_STREAM},
             {"SETTINGS", WIRE_SETTINGS},
             {"PUSH_PROMISE", WIRE_PUSH_PROMISE},
             {"PING", WIRE_PING},
             {"GOAWAY", WIRE_GOAWAY},
             {"WINDOW_UPDATE", WIRE_WINDOW_UPDATE},
             {"CONTINUATION", WIRE_CONTINUATION},
             {"PRIORITY_UPDATE", WIRE_PRIORITY_UPDATE}};

static const struct {
    const char *name;
    uint8_t flag;
} flags[] = {{"END_STREAM", WIRE_END_STREAM},
             {"ACK", WIRE_ACK},
             {"END_HEADERS", WIRE_END_HEADERS},
             {"PADDED", WIRE_PADDED},
             {"HAS_PRIORITY", WIRE_HAS_PRIORITY}};

static const char *const errors[] = {"NO_ERROR",
                                     "PROTOCOL_ERROR",
                                     "INTERNAL_ERROR",
                                     "FLOW_CONTROL_ERROR",
                                     "SETTINGS_TIMEOUT",
                                     "STREAM_CLOSED",
                                     "FRAME_SIZE_ERROR",
                                     "REFUSED_STREAM",
                                     "CANCEL",
                                     "COMPRESSION_ERROR",
                                     "CONNECT_ERROR",
                                     "ENHANCE_YOUR_CALM",
                                     "INADEQUATE_SECURITY",
                                     "HTTP_1_1_REQUIRED"};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- from text --- */

struct encoder {
    uint8_t *at; /* of all frames of a line */
    size_t len, size;
    const char *wrong;
};

static void put(struct encoder *e, const void *bytes, size_t len)
{
    while (e->len + len > e->size) {
        e->size = e->size ? e->size * 2 : 1024;
        e->at = realloc(e->at, e->size);
        if (!e->at)
            abort();
    }
    if (len > 0)
        memcpy(e->at + e->len, bytes, len);
    e->len += len;
}

static bool word(struct weir_bytes *rest, struct weir_bytes *out)
{
    while (rest->len > 0 && rest->at[0] == ' ')
        rest->at++, rest->len--;
    size_t n = 0;
    while (n < rest->len && rest->at[n] != ' ')
        n++;
    *out = (struct weir_bytes){rest->at, n};
    rest->at += n;
    rest->len -= n;
    return n > 0;
}

/* Decimal, or hexadecimal behind 0x. */
static bool number(struct weir_bytes text, uint64_t *out)
{
    char copy[32], *end;
    if (text.len == 0 || text.len >= sizeof(copy) || !isdigit((unsigned char)text.at[0]))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    *out = strtoull(copy, &end, strncmp(copy, "0x", 2) == 0 ? 16 : 10);
    return *end == '\0';
}

static bool error_code(struct weir_bytes text, uint64_t *out)
{
    for (size_t i = 0; i < COUNT(errors); i++) {
        if (bytes_equal(text, bytes_str(errors[i]))) {
            *out = i;
            return true;
        }
    }
    return number(text, out);
}

/* A frame being put together. */
struct draft {
    uint8_t payload[FRAME_MAX];
    size_t len;
    uint64_t id, flags, say_len; /* say_len: what its head says; UINT64_MAX: the truth */
    uint8_t type;
    size_t padding;
    bool padded;
};

static bool add(struct draft *d, const void *bytes, size_t len)
{
    if (len > sizeof(d->payload) - d->len)
        return false;
    if (len > 0)
        memcpy(d->payload + d->len, bytes, len);
    d->len += len;
    return true;
}

static void add32(struct draft *d, uint64_t n)
{
    uint8_t bytes[4];
    wire_put32(bytes, (uint32_t)n);
    add(d, bytes, 4);
}

static bool add_hex(struct draft *d, struct weir_bytes text)
{
    struct weir_bytes w;
    while (word(&text, &w)) {
        char digits[3] = {w.at[0], w.len > 1 ? w.at[1] : '\0'};
        char *end;
        uint8_t byte = (uint8_t)strtoul(digits, &end, 16);
        if (w.len != 2 || *end || !add(d, &byte, 1))
            return false;
    }
    return true;
}

/* RFC 7541 section 5.2, without Huffman codes. */
static bool add_string(struct draft *d, struct weir_bytes s)
{
    uint8_t prefix[6];
    size_t n = 0, rest = s.len;
    prefix[n++] = (uint8_t)(rest < 127 ? rest : 127);
    if (rest >= 127)
        for (rest -= 127;; rest >>= 7) {
            prefix[n++] = (uint8_t)(rest >= 128 ? (rest & 127) | 128 : rest);
            if (rest < 128)
                break;
        }
    return add(d, prefix, n) && add(d, s.at, s.len);
}

/* "name value" as a literal without indexing; "+name value": with. "name xN" stands for a value of N letters. */
static bool add_field(struct draft *d, struct weir_bytes text)
{
    bool indexed = text.len > 0 && text.at[0] == '+';
    uint8_t first = indexed ? 0x40 : 0;
    struct weir_bytes name;
    uint64_t n;
    static char letters[FRAME_MAX];
    if (indexed)
        text.at++, text.len--;
    if (text.len > 0 && text.at[0] == ' ')
        name = (struct weir_bytes){text.at, 0};
    else
        (void)word(&text, &name);
    if (text.len > 0)
        text.at++, text.len--;
    if (bytes_equal(name, BYTES("\"\"")))
        name.len = 0;
    if (text.len > 1 && text.at[0] == '*' &&
        number((struct weir_bytes){text.at + 1, text.len - 1}, &n) && n < sizeof(letters)) {
        memset(letters, 'x', sizeof(letters));
        text = (struct weir_bytes){letters, (size_t)n};
    }
    return add(d, &first, 1) && add_string(d, name) && add_string(d, text);
}

/* What follows a bar: field lines for heads, else content as it is. `# 00 ff`: bytes in hexadecimal, for any. */
static bool add_payload(struct draft *d, struct weir_bytes text)
{
    bool head = d->type == WIRE_HEADERS || d->type == WIRE_CONTINUATION;
    uint64_t n;
    if (bytes_starts(text, BYTES("# ")))
        return add_hex(d, (struct weir_bytes){text.at + 2, text.len - 2});
    if (bytes_starts(text, BYTES("*")) &&
        number((struct weir_bytes){text.at + 1, text.len - 1}, &n)) {
        if (n > sizeof(d->payload) - d->len)
            return false;
        memset(d->payload + d->len, 'x', n);
        d->len += n;
        return true;
    }
    return head ? add_field(d, text) : add(d, text.at, text.len);
}

/* A word between the stream and the first bar. */
static bool add_word(struct draft *d, struct weir_bytes w)
{
    const char *equals = memchr(w.at, '=', w.len);
    uint64_t n, value;
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (bytes_equal(w, bytes_str(flags[i].name))) {
            d->flags |= flags[i].flag;
            return true;
        }
    }
    if (equals) {
        struct weir_bytes key = {w.at, (size_t)(equals - w.at)};
        if (!number((struct weir_bytes){equals + 1, w.len - key.len - 1}, &value))
            return false;
        if (bytes_equal(key, BYTES("flags")))
            d->flags |= value;
        else if (bytes_equal(key, BYTES("length")))
            d->say_len = value;
        else if (bytes_equal(key, BYTES("padding")))
            d->flags |= WIRE_PADDED, d->padded = true, d->padding = (size_t)value;
        else if (bytes_equal(key, BYTES("last")))
            add32(d, value);
        else if (number(key, &n)) {
            uint8_t id[2] = {(uint8_t)(n >> 8), (uint8_t)n};
            add(d, id, 2);
            add32(d, value);
        } else
            return false;
        return true;
    }
    if (!error_code(w, &n))
        return false;
    add32(d, n);
    return true;
}

static bool find_type(struct weir_bytes w, uint8_t *out)
{
    uint64_t n;
    for (size_t i = 0; i < COUNT(types); i++) {
        if (bytes_equal(w, bytes_str(types[i].name))) {
            *out = types[i].type;
            return true;
        }
    }
    if (!number(w, &n) || n > 255)
        return false;
    *out = (uint8_t)n;
    return true;
}

/* Up to the next bar, without the spaces around it. */
static bool section(struct weir_bytes *rest, struct weir_bytes *out)
{
    if (rest->len < 2 || rest->at[0] != '|' || rest->at[1] != ' ')
        return false;
    rest->at += 2, rest->len -= 2;
    const char *bar = memmem(rest->at, rest->len, " | ", 3);
    *out = (struct weir_bytes){rest->at, bar ? (size_t)(bar - rest->at) : rest->len};
    rest->at += out->len + (bar ? 1 : 0);
    rest->len -= out->len + (bar ? 1 : 0);
    return true;
}

static void put_draft(struct encoder *e, struct draft *d, uint64_t step)
{
    uint8_t head[WIRE_HEAD], padding[256] = {0};
    size_t len = d->len + (d->padded ? 1 + d->padding : 0);
    wire_write(head, d->say_len == UINT64_MAX ? len : d->say_len, d->type, (unsigned)d->flags,
               (uint32_t)(d->id + step));
    put(e, head, sizeof(head));
    if (d->padded) {
        uint8_t n = (uint8_t)d->padding;
        put(e, &n, 1);
    }
    put(e, d->payload, d->len);
    if (d->padded)
        put(e, padding, d->padding);
}

/* "TYPE STREAM words | payload | ..." */
static const char *read_draft(struct draft *d, struct weir_bytes text)
{
    struct weir_bytes w, part;
    *d = (struct draft){.say_len = UINT64_MAX};
    if (!word(&text, &w) || !find_type(w, &d->type))
        return "unknown type of frame";
    if (!word(&text, &w) || !number(w, &d->id))
        return "the number of a stream comes after the type";
    for (;;) {
        while (text.len > 0 && text.at[0] == ' ')
            text.at++, text.len--;
        if (text.len == 0 || text.at[0] == '|')
            break;
        (void)word(&text, &w);
        if (!add_word(d, w))
            return "unknown word of a frame";
    }
    while (section(&text, &part))
        if (!add_payload(d, part))
            return "unknown payload";
    return text.len > 0 ? "what follows is not read" : NULL;
}

#define LINE_FRAMES 4

/* "[N x [+STEP]] FRAME [& FRAME]..." */
static const char *encode_line(struct encoder *e, struct weir_bytes text)
{
    static struct draft drafts[LINE_FRAMES];
    struct weir_bytes w, rest = text;
    uint64_t times = 1, step = 0;
    size_t count = 0;
    if (bytes_equal(text, BYTES("PREFACE"))) {
        put(e, WIRE_PREFACE, WIRE_PREFACE_LEN);
        return NULL;
    }
    if (bytes_starts(text, BYTES("raw "))) {
        put(e, text.at + 4, text.len - 4);
        return NULL;
    }
    if (word(&rest, &w) && number(w, &times) && word(&rest, &w) && bytes_equal(w, BYTES("x"))) {
        text = rest;
        if (word(&rest, &w) && w.at[0] == '+' &&
            number((struct weir_bytes){w.at + 1, w.len - 1}, &step))
            text = rest;
    } else {
        times = 1;
    }
    while (text.len > 0 && count < LINE_FRAMES) {
        const char *and = memmem(text.at, text.len, " & ", 3);
        struct weir_bytes one = {text.at, and? (size_t)(and-text.at) : text.len};
        const char *wrong = read_draft(&drafts[count++], one);
        if (wrong)
            return wrong;
        text.at += one.len + (and? 3 : 0);
        text.len -= one.len + (and? 3 : 0);
    }
    for (uint64_t i = 0; i < times; i++)
        for (size_t k = 0; k < count; k++)
            put_draft(e, &drafts[k], i * step);
    return NULL;
}

static const char *add_end(struct script_step *step)
{
    uint8_t *bytes = realloc(step->bytes, step->len + 2);
    if (!bytes)
        return "no memory";
    bytes[step->len++] = '\n';
    bytes[step->len] = '\0';
    step->bytes = bytes;
    return NULL;
}

const char *frames_encode(struct script *script, size_t *out_step)
{
    for (size_t i = 0; i < script->count; i++) {
        struct script_step *step = &script->steps[i];
        const char *wrong = NULL;
        *out_step = i;
        if (step->verb == SCRIPT_EXPECT || step->verb == SCRIPT_MATCH) {
            wrong = add_end(step);
        } else if (step->verb == SCRIPT_SEND) {
            struct encoder e = {0};
            wrong = encode_line(&e, (struct weir_bytes){(const char *)step->bytes, step->len});
            free(step->bytes);
            step->bytes = e.at;
            step->len = e.len;
        }
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* --- to text --- */

struct decoder {
    struct text text;
    nghttp2_hd_inflater *inflater;
    uint32_t data_id; /* content collected: */
    bool data_open, data_ends;
    uint8_t *data;
    size_t data_len;
};

static uint32_t sum_of(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

static void add_escaped(struct text *t, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (isprint(bytes[i]) && bytes[i] != '%')
            text_char(t, (char)bytes[i]);
        else
            text_fmt(t, "%%%02x", bytes[i]);
    }
}

static void flush_data(struct decoder *d)
{
    if (!d->data_open)
        return;
    text_fmt(&d->text, "DATA %u%s", d->data_id, d->data_ends ? " END_STREAM" : "");
    if (d->data_len > SHOWN) {
        text_fmt(&d->text, " %zu bytes, sum %08x", d->data_len, sum_of(d->data, d->data_len));
    } else if (d->data_len > 0) {
        text_str(&d->text, " | ");
        add_escaped(&d->text, d->data, d->data_len);
    }
    text_char(&d->text, '\n');
    d->data_open = d->data_ends = false;
    d->data_len = 0;
}

static void take_data(struct decoder *d, const struct frame *f, const uint8_t *payload)
{
    if (d->data_open && d->data_id != f->id)
        flush_data(d);
    d->data_open = true;
    d->data_id = f->id;
    memcpy(d->data + d->data_len, payload, f->len);
    d->data_len += f->len;
    d->data_ends = f->flags & WIRE_END_STREAM;
    if (d->data_ends)
        flush_data(d);
}

static void add_fields(struct decoder *d, const uint8_t *at, size_t len, bool last)
{
    for (;;) {
        nghttp2_nv nv;
        int got = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(d->inflater, &nv, &got, at, len, last);
        if (n < 0) {
            text_str(&d->text, " | broken");
            return;
        }
        at += n;
        len -= (size_t)n;
        if (got & NGHTTP2_HD_INFLATE_EMIT) {
            text_str(&d->text, " | ");
            add_escaped(&d->text, nv.name, nv.namelen);
            text_char(&d->text, ' ');
            add_escaped(&d->text, nv.value, nv.valuelen);
        } else if ((got & NGHTTP2_HD_INFLATE_FINAL) || len == 0) {
            break;
        }
    }
    if (last)
        nghttp2_hd_inflate_end_headers(d->inflater);
}

static void add_error(struct text *t, uint32_t code)
{
    if (code < COUNT(errors))
        text_fmt(t, " %s", errors[code]);
    else
        text_fmt(t, " 0x%x", code);
}

static void add_rest(struct decoder *d, const struct frame *f, const uint8_t *at)
{
    struct text *t = &d->text;
    switch (f->type) {
    case WIRE_HEADERS:
    case WIRE_CONTINUATION:
        add_fields(d, at, f->len, f->flags & WIRE_END_HEADERS);
        break;
    case WIRE_SETTINGS:
        for (size_t i = 0; i + 6 <= f->len; i += 6)
            text_fmt(t, " %u=%u", wire_get16(at + i), wire_get32(at + i + 2));
        break;
    case WIRE_RST_STREAM:
        add_error(t, wire_get32(at));
        break;
    case WIRE_GOAWAY:
        text_fmt(t, " last=%u", wire_get32(at));
        add_error(t, wire_get32(at + 4));
        break;
    case WIRE_WINDOW_UPDATE:
        text_fmt(t, " %u", wire_get32(at));
        break;
    default:
        if (f->len > 0)
            text_str(t, " | ");
        add_escaped(t, at, f->len);
        break;
    }
}

static void add_frame(struct decoder *d, const struct frame *f, const uint8_t *payload)
{
    const char *name = "?";
    if (f->type == WIRE_DATA) {
        take_data(d, f, payload);
        return;
    }
    flush_data(d);
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].type == f->type)
            name = types[i].name;
    text_fmt(&d->text, "%s %u", name, f->id);
    bool acks = f->type == WIRE_SETTINGS || f->type == WIRE_PING;
    if (f->flags & 1)
        text_str(&d->text, acks ? " ACK" : " END_STREAM");
    if (f->type == WIRE_HEADERS && !(f->flags & WIRE_END_HEADERS))
        text_str(&d->text, " MORE");
    add_rest(d, f, payload);
    text_char(&d->text, '\n');
}

bool frames_decode(struct transcript *t)
{
    struct decoder d = {.data = malloc(t->len + 1)};
    static char room[TEXT_MAX];
    size_t at = 0;
    if (!d.data || nghttp2_hd_inflate_new(&d.inflater) != 0)
        abort();
    text_init(&d.text, room, TEXT_MAX);
    for (size_t i = 0; i < t->count; i++) {
        while (at + WIRE_HEAD <= t->marks[i].len) {
            struct frame f = wire_read(t->bytes + at);
            if (at + WIRE_HEAD + f.len > t->marks[i].len)
                break;
            add_frame(&d, &f, t->bytes + at + WIRE_HEAD);
            at += WIRE_HEAD + f.len;
        }
        flush_data(&d);
        t->marks[i].len = d.text.len;
    }
    bool whole = !d.text.cut;
    nghttp2_hd_inflate_del(d.inflater);
    free(d.data);
    free(t->bytes);
    t->bytes = malloc(d.text.len + 1);
    if (!t->bytes)
        abort();
    memcpy(t->bytes, room, d.text.len);
    t->len = d.text.len;
    return whole;
}
