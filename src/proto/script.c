#include "proto/script.h"

#include "base/bytes.h"
#include "tbl/limits.h"

#include <weir/protocol.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int why;
} reasons[] = {
    {"done", WEIR_DONE},
    {"EBADMSG", -EBADMSG},
    {"ECANCELED", -ECANCELED},
    {"ECONNABORTED", -ECONNABORTED},
    {"ECONNREFUSED", -ECONNREFUSED},
    {"ECONNRESET", -ECONNRESET},
    {"EINVAL", -EINVAL},
    {"EIO", -EIO},
    {"EMSGSIZE", -EMSGSIZE},
    {"ENOMEM", -ENOMEM},
    {"EPIPE", -EPIPE},
    {"EPROTO", -EPROTO},
    {"ETIMEDOUT", -ETIMEDOUT},
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *script_reason(int why)
{
    for (size_t i = 0; i < REASONS; i++)
        if (reasons[i].why == why)
            return reasons[i].name;
    return NULL;
}

static bool parse_reason(struct weir_bytes rest, int *out)
{
    if (rest.len == 0) {
        *out = SCRIPT_ANY_REASON;
        return true;
    }
    for (size_t i = 0; i < REASONS; i++) {
        if (bytes_equal(rest, bytes_str(reasons[i].name))) {
            *out = reasons[i].why;
            return true;
        }
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape after its backslash. Returns the characters it took, 0: there is no such escape. */
static size_t unescape_one(struct weir_bytes rest, uint8_t *out)
{
    static const char plain[] = "nrt0\\se", value[] = "\n\r\t\0\\ \033";
    if (rest.len == 0)
        return 0;
    if (rest.at[0] == 'x' && rest.len >= 3) {
        int high = hex_digit(rest.at[1]), low = hex_digit(rest.at[2]);
        *out = (uint8_t)(high * 16 + low);
        return high < 0 || low < 0 ? 0 : 3;
    }
    const char *at = memchr(plain, rest.at[0], sizeof(plain) - 1);
    if (at)
        *out = (uint8_t)value[at - plain];
    return at ? 1 : 0;
}

/* Writes the bytes `text` stands for; there are never more of them. A pattern keeps its \* and \? for script_match(). */
static const char *unescape(struct weir_bytes text, bool pattern, uint8_t *out, size_t *out_len)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '\\') {
            out[n++] = (uint8_t)text.at[i];
            continue;
        }
        struct weir_bytes rest = {text.at + i + 1, text.len - i - 1};
        if (pattern && rest.len > 0 && memchr("*?\\", rest.at[0], 3)) {
            out[n++] = '\\';
            out[n++] = (uint8_t)rest.at[0];
            i++;
            continue;
        }
        size_t took = unescape_one(rest, &out[n++]);
        if (took == 0)
            return "unknown escape: \\r \\n \\t \\0 \\s \\e \\\\ and \\xNN are known";
        i += took;
    }
    *out_len = n;
    return NULL;
}

/* Puts what is written, `repeat` times, into the step. */
static const char *set_bytes(struct script *script, struct script_step *step,
                             struct weir_bytes text, uint64_t repeat)
{
    if (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        return "a space at the end cannot be seen: write \\s or \\t";
    if (repeat == 0 || repeat > LIMIT_SCRIPT_BYTES)
        return "the repeat count is 1 or more, and the script must not exceed 16 MiB";
    uint8_t *bytes = malloc(text.len + 1);
    if (!bytes)
        return "no memory";
    step->bytes = bytes;
    const char *wrong = unescape(text, step->verb == SCRIPT_MATCH, bytes, &step->len);
    if (wrong)
        return wrong;
    size_t unit = step->len;
    if (unit > (LIMIT_SCRIPT_BYTES - script->bytes) / repeat)
        return "the script must not exceed 16 MiB";
    step->len = unit * repeat;
    script->bytes += step->len;
    bytes = realloc(bytes, step->len + 1);
    if (!bytes)
        return "no memory";
    step->bytes = bytes;
    for (uint64_t i = 1; i < repeat; i++)
        memcpy(bytes + i * unit, bytes, unit);
    bytes[step->len] = '\0';
    return NULL;
}

/* "*N text": the text N times. */
static const char *set_repeated(struct script *script, struct script_step *step,
                                struct weir_bytes rest)
{
    const char *space = memchr(rest.at, ' ', rest.len);
    if (!space)
        return "a repeat is written as in: >*1000 abc";
    struct weir_bytes count = {rest.at, (size_t)(space - rest.at)};
    struct weir_bytes text = {space + 1, rest.len - count.len - 1};
    uint64_t repeat;
    if (bytes_u64(count, &repeat) < 0)
        return "a repeat is written as in: >*1000 abc";
    return set_bytes(script, step, text, repeat);
}

static const char *parse_send(struct script *script, struct script_step *step,
                              struct weir_bytes rest)
{
    if (bytes_equal(rest, BYTES("-"))) {
        step->verb = SCRIPT_FINISH;
        return NULL;
    }
    if (bytes_equal(rest, BYTES("!"))) {
        step->verb = SCRIPT_RESET;
        return NULL;
    }
    step->verb = SCRIPT_SEND;
    if (bytes_starts(rest, BYTES("*")))
        return set_repeated(script, step, (struct weir_bytes){rest.at + 1, rest.len - 1});
    if (bytes_starts(rest, BYTES(" ")))
        return set_bytes(script, step, (struct weir_bytes){rest.at + 1, rest.len - 1}, 1);
    return "after > comes a space and bytes, *N and bytes, - (end of input) or ! (reset)";
}

static const char *parse_closed(struct script_step *step, struct weir_bytes rest)
{
    struct weir_bytes reason = bytes_trim(rest);
    step->verb = SCRIPT_CLOSED;
    if (bytes_equal(reason, BYTES("end"))) {
        step->verb = SCRIPT_ENDED;
        return NULL;
    }
    return parse_reason(reason, &step->why) ? NULL
                                            : "after <- comes nothing, end, done or an errno name";
}

static const char *parse_expect(struct script *script, struct script_step *step,
                                struct weir_bytes rest)
{
    if (bytes_starts(rest, BYTES("-")))
        return parse_closed(step, (struct weir_bytes){rest.at + 1, rest.len - 1});
    step->verb = bytes_starts(rest, BYTES("~")) ? SCRIPT_MATCH : SCRIPT_EXPECT;
    if (bytes_starts(rest, BYTES("*")))
        return set_repeated(script, step, (struct weir_bytes){rest.at + 1, rest.len - 1});
    size_t skip = step->verb == SCRIPT_MATCH ? 2 : 1;
    if (rest.len >= skip && rest.at[skip - 1] == ' ')
        return set_bytes(script, step, (struct weir_bytes){rest.at + skip, rest.len - skip}, 1);
    return "after < comes a space and bytes, *N and bytes, ~ and a pattern, or - (closed)";
}

static const char *parse_wait(struct script_step *step, struct weir_bytes rest)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"ms", WEIR_NS_PER_MS}, {"s", WEIR_NS_PER_S}};
    struct weir_bytes text = bytes_trim(rest);
    size_t digits = 0;
    uint64_t n;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9')
        digits++;
    struct weir_bytes unit = {text.at + digits, text.len - digits};
    step->verb = SCRIPT_WAIT;
    if (bytes_u64((struct weir_bytes){text.at, digits}, &n) < 0 || n > 1000000)
        return "a time is written as in: @ 250ms or @ 5s";
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (bytes_equal(unit, bytes_str(units[i].unit))) {
            step->number = n * units[i].ns;
            return NULL;
        }
    }
    return "a time is written as in: @ 250ms or @ 5s";
}

static const char *parse_order(struct script *script, struct script_step *step,
                               struct weir_bytes rest)
{
    struct weir_bytes text = bytes_trim(rest);
    step->verb = SCRIPT_LEAVE;
    if (bytes_equal(text, BYTES("leave stop")) || bytes_equal(text, BYTES("leave busy"))) {
        step->number = text.at[6] == 's' ? WEIR_LEAVE_STOP : WEIR_LEAVE_BUSY;
        return NULL;
    }
    if (bytes_starts(text, BYTES("with "))) {
        step->verb = SCRIPT_WITH;
        return set_bytes(script, step, (struct weir_bytes){text.at + 5, text.len - 5}, 1);
    }
    step->verb = SCRIPT_WINDOW;
    step->number = UINT64_MAX;
    if (bytes_equal(text, BYTES("window all")))
        return NULL;
    if (bytes_starts(text, BYTES("window ")) &&
        bytes_u64((struct weir_bytes){text.at + 7, text.len - 7}, &step->number) == 0)
        return NULL;
    return "known are: leave stop, leave busy, window N, window all, with NAME";
}

static const char *parse_line(struct script *script, struct script_step *step,
                              struct weir_bytes line)
{
    struct weir_bytes rest = {line.at + 1, line.len - 1};
    switch (line.at[0]) {
    case '>':
        return parse_send(script, step, rest);
    case '<':
        return parse_expect(script, step, rest);
    case '@':
        return parse_wait(step, rest);
    case '=':
        return parse_order(script, step, rest);
    default:
        return "a line begins with > < @ = or #";
    }
}

static struct script_step *add_step(struct script *script, unsigned line)
{
    if (script->count == script->size) {
        size_t size = script->size ? script->size * 2 : 16;
        struct script_step *steps = realloc(script->steps, size * sizeof(*steps));
        if (!steps)
            return NULL;
        script->steps = steps;
        script->size = size;
    }
    struct script_step *step = &script->steps[script->count++];
    *step = (struct script_step){.line = line};
    return step;
}

int script_parse(const char *text, size_t len, struct script *out, struct script_error *out_error)
{
    struct script script = {0};
    const char *wrong = NULL;
    unsigned number = 0;
    for (size_t at = 0; at < len && !wrong;) {
        const char *end = memchr(text + at, '\n', len - at);
        struct weir_bytes line = {text + at, end ? (size_t)(end - text) - at : len - at};
        at += line.len + 1;
        number++;
        if (bytes_trim(line).len == 0 || line.at[0] == '#')
            continue;
        struct script_step *step =
            script.count < LIMIT_SCRIPT_STEPS ? add_step(&script, number) : NULL;
        wrong = step ? parse_line(&script, step, line) : "too many steps, or no memory";
    }
    if (wrong) {
        *out_error = (struct script_error){number, wrong};
        script_done(&script);
        return -EINVAL;
    }
    *out = script;
    return 0;
}

void script_done(struct script *script)
{
    for (size_t i = 0; i < script->count; i++)
        free(script->steps[i].bytes);
    free(script->steps);
    *script = (struct script){0};
}

/* Iterative with one place to come back to, so that no pattern is slow: a later * may forget the earlier ones. */
ssize_t script_match(const struct script_step *step, const uint8_t *bytes, size_t len)
{
    const uint8_t *pattern = step->bytes;
    size_t p = 0, i = 0, star = SIZE_MAX, star_i = 0;
    for (;;) {
        if (p == step->len)
            return (ssize_t)i;
        if (pattern[p] == '*') {
            star = p++;
            star_i = i;
            continue;
        }
        size_t skip = pattern[p] == '\\' ? 1 : 0;
        bool any = pattern[p] == '?';
        if (i < len && (any ? bytes[i] != '\n' : bytes[i] == pattern[p + skip])) {
            p += skip + 1;
            i++;
            continue;
        }
        if (star == SIZE_MAX || star_i >= len || bytes[star_i] == '\n')
            return -1;
        p = star + 1;
        i = ++star_i;
    }
}
