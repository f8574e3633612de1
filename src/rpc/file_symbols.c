#include "rpc/file_symbols.h"

#include "base/bytes.h"
#include "rpc/tiny.h"

/* Field numbers of descriptor.proto; the name is 1 everywhere. */
enum {
    FILE_PACKAGE = 2,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    FILE_EXTENSION = 7,
    MESSAGE_NESTED = 3,
    MESSAGE_ENUM = 4,
    MESSAGE_EXTENSION = 6,
    SERVICE_METHOD = 2,
};

/* What lies inside a declaration and may be named. */
struct inside {
    uint32_t same;     /* declarations of the same kind */
    uint32_t plain[2]; /* those with nothing inside; 0: none */
};
static const struct inside of_message = {MESSAGE_NESTED, {MESSAGE_ENUM, MESSAGE_EXTENSION}};
static const struct inside of_service = {0, {SERVICE_METHOD, 0}};
static const struct inside of_nothing = {0, {0, 0}};

static struct weir_bytes text_of(struct weir_bytes declaration, uint32_t number)
{
    struct weir_bytes found = {"", 0};
    for (struct tiny_field field; tiny_next(&declaration, &field);)
        if (field.number == number && field.bytes.at)
            found = field.bytes;
    return found;
}

/* Cuts "first." off; false: it does not begin so. */
static bool cut(struct weir_bytes *name, struct weir_bytes first)
{
    if (name->len <= first.len || !bytes_starts(*name, first) || name->at[first.len] != '.')
        return false;
    name->at += first.len + 1;
    name->len -= first.len + 1;
    return true;
}

/* Goes down one level at a time along the name, so it ends with it. */
static bool declares(struct weir_bytes declaration, const struct inside *inside,
                     struct weir_bytes name)
{
    for (;;) {
        struct weir_bytes own = text_of(declaration, 1), deeper = {NULL, 0};
        if (bytes_equal(own, name))
            return true;
        if (own.len == 0 || !cut(&name, own))
            return false;
        for (struct tiny_field field; tiny_next(&declaration, &field);) {
            if (!field.bytes.at)
                continue;
            struct weir_bytes its = text_of(field.bytes, 1), rest = name;
            bool plain = field.number == inside->plain[0] || field.number == inside->plain[1];
            if (plain && bytes_equal(its, name))
                return true;
            if (inside->same && field.number == inside->same &&
                (bytes_equal(its, name) || (its.len > 0 && cut(&rest, its))))
                deeper = field.bytes;
        }
        if (!deeper.at)
            return false;
        declaration = deeper;
    }
}

bool file_has_symbol(const struct weir_rpc_file *file, struct weir_bytes name)
{
    struct weir_bytes bytes = {file->bytes, file->len};
    struct weir_bytes package = text_of(bytes, FILE_PACKAGE);
    if (package.len > 0 && !cut(&name, package))
        return false;
    for (struct tiny_field field; tiny_next(&bytes, &field);) {
        if (!field.bytes.at)
            continue;
        bool found = false;
        if (field.number == FILE_MESSAGE)
            found = declares(field.bytes, &of_message, name);
        else if (field.number == FILE_SERVICE)
            found = declares(field.bytes, &of_service, name);
        else if (field.number == FILE_ENUM || field.number == FILE_EXTENSION)
            found = declares(field.bytes, &of_nothing, name);
        if (found)
            return true;
    }
    return false;
}
