#include "service/site_names.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* In small letters, without its port and the dot of the root. 0: too long to be anybody's. */
static size_t normal(struct weir_bytes host, char out[LIMIT_SITE_NAME + 1])
{
    size_t end = 0;
    bool bracket = host.len > 0 && host.at[0] == '[';
    while (end < host.len && (bracket || host.at[end] != ':'))
        if (host.at[end++] == ']')
            break;
    if (end > 1 && host.at[end - 1] == '.')
        end--;
    if (end > LIMIT_SITE_NAME)
        return 0;
    for (size_t i = 0; i < end; i++)
        out[i] = lower(host.at[i]);
    return end;
}

/* FNV-1a. Only the owner's names are in the table, so nobody can make it slow. */
static uint32_t hash(const char *at, size_t len, bool below)
{
    uint32_t h = below ? 2166136261u ^ 1u : 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)at[i]) * 16777619u;
    return h;
}

/* Where that name is, or would be: half of the slots are always free. */
static struct site_name *slot(const struct site_names *names, const char *at, size_t len,
                              bool below)
{
    uint32_t i = hash(at, len, below) % SITE_NAME_SLOTS;
    for (;; i = (i + 1) % SITE_NAME_SLOTS) {
        struct site_name *name = &names->slots[i];
        if (name->len == 0 ||
            (name->len == len && name->below == below && memcmp(name->at, at, len) == 0))
            return name;
    }
}

static bool is_name(const char *at, size_t len)
{
    if (len == 0 || at[0] == '.' || at[len - 1] == '.')
        return false;
    bool bracket = at[0] == '[';
    for (size_t i = 0; i < len; i++) {
        char c = at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        bool dot = c == '.' && at[i - 1] != '.';
        if (!plain && !dot && !(bracket && (c == ':' || c == '[' || (c == ']' && i == len - 1))))
            return false;
    }
    return true;
}

int site_names_add(struct site_names *names, struct weir_bytes text, unsigned site)
{
    char name[LIMIT_SITE_NAME + 1];
    if (bytes_equal(text, BYTES("default"))) {
        if (names->other >= 0)
            return -EEXIST;
        names->other = (int)site;
        return 0;
    }
    bool below = bytes_starts(text, BYTES("*."));
    struct weir_bytes plain = below ? (struct weir_bytes){text.at + 2, text.len - 2} : text;
    size_t len = normal(plain, name);
    if (len < plain.len - (plain.len > 1 && plain.at[plain.len - 1] == '.') || !is_name(name, len))
        return -EINVAL;
    struct site_name *to = slot(names, name, len, below);
    if (to->len > 0)
        return -EEXIST;
    if (names->count == LIMIT_SITE_NAMES)
        return -ENOSPC;
    to->len = (uint8_t)len;
    to->below = below;
    to->site = (uint16_t)site;
    memcpy(to->at, name, len);
    names->count++;
    return 0;
}

int site_names_find(const struct site_names *names, struct weir_bytes host)
{
    char name[LIMIT_SITE_NAME + 1];
    size_t len = normal(host, name);
    if (len == 0)
        return names->other;
    const struct site_name *found = slot(names, name, len, false);
    for (const char *dot = name; found->len == 0;) {
        dot = memchr(dot, '.', (size_t)(name + len - dot));
        if (!dot)
            return names->other;
        dot++;
        found = slot(names, dot, (size_t)(name + len - dot), true);
    }
    return found->site;
}
