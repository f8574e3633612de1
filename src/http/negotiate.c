#include "http/negotiate.h"

#include "base/bytes.h"
#include "http/exchange.h"

#include <string.h>

static const struct weir_bytes names[CODINGS] = {
    [CODING_IDENTITY] = {"identity", 8},
    [CODING_GZIP] = {"gzip", 4},
    [CODING_ZSTD] = {"zstd", 4},
    [CODING_BR] = {"br", 2},
};

const char *coding_name(enum coding coding)
{
    return names[coding].at;
}

/* RFC 9110 section 12.4.2: 0 to 1 with at most three digits. -1: malformed. */
static int read_weight(struct weir_bytes text)
{
    if (text.len == 0 || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1') ||
        (text.len > 1 && text.at[1] != '.'))
        return -1;
    int weight = (text.at[0] - '0') * 1000, unit = 100;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return -1;
        weight += (text.at[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : -1;
}

/* Cuts `element` before its first semicolon and returns what is behind it; at NULL: there is none. */
static struct weir_bytes cut_parameters(struct weir_bytes *element)
{
    const char *mark = element->len ? memchr(element->at, ';', element->len) : NULL;
    if (!mark)
        return (struct weir_bytes){0};
    struct weir_bytes rest = {mark + 1, (size_t)(element->at + element->len - mark) - 1};
    *element = bytes_trim((struct weir_bytes){element->at, (size_t)(mark - element->at)});
    return rest;
}

/* The weight among parameters; 1000 if it is not there, -1 if it is malformed. *out_others counts the rest. */
static int weight_of(struct weir_bytes parameters, unsigned *out_others)
{
    int weight = 1000;
    *out_others = 0;
    while (parameters.at) {
        struct weir_bytes one = parameters;
        parameters = cut_parameters(&one);
        one = bytes_trim(one);
        if (one.len >= 2 && (one.at[0] | 0x20) == 'q' && one.at[1] == '=')
            weight = read_weight((struct weir_bytes){one.at + 2, one.len - 2});
        else if (one.len > 0)
            ++*out_others;
    }
    return weight;
}

static int *slot_of(struct accept_weights *weights, struct weir_bytes name)
{
    if (bytes_equal(name, BYTES("*")))
        return &weights->any;
    if (bytes_same(name, BYTES("x-gzip"))) /* RFC 9110 section 8.4.1.3 */
        return &weights->of[CODING_GZIP];
    for (int i = 0; i < CODINGS; i++)
        if (bytes_same(name, names[i]))
            return &weights->of[i];
    return NULL;
}

void accept_add(struct accept_weights *weights, struct weir_bytes value)
{
    struct weir_bytes element;
    while (bytes_next(&value, &element)) {
        unsigned others;
        int weight = weight_of(cut_parameters(&element), &others);
        int *slot = slot_of(weights, element);
        if (slot && *slot < 0 && weight >= 0 && others == 0)
            *slot = weight;
    }
}

struct accept accept_rank(const struct accept_weights *weights)
{
    /* Twice the weight, so that plain content which nobody spoke of lies below the least of them. */
    int like[CODINGS];
    for (int i = 0; i < CODINGS; i++) {
        int weight = weights->of[i] >= 0 ? weights->of[i] : weights->any;
        like[i] = weight >= 0 ? 2 * weight : i == CODING_IDENTITY;
    }
    struct accept accept = {{0}};
    for (int i = 0; i < CODINGS; i++) {
        if (like[i] == 0)
            continue;
        accept.rank[i] = 1;
        for (int k = 0; k < CODINGS; k++)
            accept.rank[i] = (uint8_t)(accept.rank[i] + (like[k] > 0 && like[k] < like[i]));
    }
    return accept;
}

struct accept accept_codings(const struct weir_exchange *x)
{
    struct accept_weights weights = ACCEPT_WEIGHTS;
    struct weir_bytes value;
    for (unsigned at = 0; exchange_each(x, FIELD_ACCEPT_ENCODING, &at, &value);)
        accept_add(&weights, value);
    return x->known[FIELD_ACCEPT_ENCODING] ? accept_rank(&weights) : ACCEPT_IDENTITY;
}

/* 3: the type itself, 2: its kind ("text/" followed by a star), 1: all types, 0: another one. */
static unsigned precision(struct weir_bytes range, struct weir_bytes type)
{
    if (bytes_same(range, type))
        return 3;
    if (bytes_equal(range, BYTES("*/*")))
        return 1;
    const char *slash = memchr(type.at, '/', type.len);
    size_t kind = slash ? (size_t)(slash - type.at) + 1 : 0;
    return kind > 0 && range.len == kind + 1 && range.at[kind] == '*' &&
                   bytes_same((struct weir_bytes){range.at, kind},
                              (struct weir_bytes){type.at, kind})
               ? 2
               : 0;
}

unsigned accept_type(const struct weir_exchange *x, struct weir_bytes type, bool *out_exact)
{
    unsigned best = 0, like = 0;
    struct weir_bytes value, element;
    *out_exact = false;
    if (!x->known[FIELD_ACCEPT])
        return 1000;
    for (unsigned at = 0; exchange_each(x, FIELD_ACCEPT, &at, &value);) {
        while (bytes_next(&value, &element)) {
            unsigned
                others; /* "text/html;level=1" is not what is there to be had: taken for its type */
            int weight = weight_of(cut_parameters(&element), &others);
            unsigned fits = precision(element, type);
            if (weight < 0 || fits <= best)
                continue;
            best = fits;
            like = (unsigned)weight;
        }
    }
    *out_exact = best == 3;
    return like;
}
