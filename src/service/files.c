#include "service/files.h"

#include "base/text.h"
#include "http/condition.h"
#include "http/range.h"
#include "http/target.h"
#include "service/local.h"

#include <errno.h>
#include <string.h>

#define ALLOW "GET, HEAD, OPTIONS"

static int reply_options(struct weir_exchange *x)
{
    int rc = weir_reply_status(x, 204);
    if (rc == 0)
        rc = weir_reply_field(x, "Allow", ALLOW);
    return rc < 0 ? rc : weir_reply_begin(x);
}

static int reply_not_allowed(struct weir_exchange *x)
{
    int rc = weir_reply_field(x, "Allow", ALLOW);
    return rc < 0 ? rc : weir_reply_error(x, 405);
}

/* A folder without its slash: links in its page would be taken from the wrong place. The clean path begins with one slash
 * only, so that the answer cannot name another site. */
static int reply_slash(struct weir_exchange *x, struct weir_bytes path)
{
    struct weir_bytes query = weir_request_query(x);
    size_t size = 3 * path.len + query.len + 3;
    char *location = weir_exchange_alloc(x, size);
    if (!location)
        return -ENOMEM;
    struct text t;
    text_init(&t, location, size);
    path_escape(&t, path);
    text_char(&t, '/');
    if (query.len > 0) {
        text_char(&t, '?');
        text_add(&t, query.at, query.len);
    }
    return weir_reply_redirect(x, 301, text_end(&t));
}

static int send_part(struct weir_exchange *x, struct file *file, struct range part)
{
    if (file->body)
        return weir_reply_bytes(x, file->body + part.first, (size_t)part.len, &file->ref);
    return weir_reply_file(x, file->fd, part.first, part.len, &file->ref);
}

static int send_whole(struct weir_exchange *x, struct file *file)
{
    int rc = weir_reply_block(x, file->fields.at, file->fields.len, &file->ref);
    return rc < 0 ? rc : send_part(x, file, (struct range){0, file->size});
}

static int send_not_modified(struct weir_exchange *x, struct file *file)
{
    int rc = weir_reply_status(x, 304);
    if (rc == 0)
        rc = weir_reply_block(x, file->fields.at, file->fields_304, &file->ref);
    return rc < 0 ? rc : weir_reply_begin(x);
}

static int content_range(struct weir_exchange *x, const struct range *part, size_t size)
{
    char value[80];
    struct text t;
    text_init(&t, value, sizeof(value));
    text_str(&t, "bytes ");
    if (part) {
        text_u64(&t, part->first);
        text_char(&t, '-');
        text_u64(&t, part->first + part->len - 1);
    } else {
        text_char(&t, '*');
    }
    text_char(&t, '/');
    text_u64(&t, size);
    return weir_reply_field(x, "Content-Range", text_end(&t));
}

static int send_range(struct weir_exchange *x, struct file *file, const struct range *part)
{
    int rc = weir_reply_status(x, 206);
    if (rc == 0)
        rc = weir_reply_block(x, file->fields.at, file->fields.len, &file->ref);
    if (rc == 0)
        rc = content_range(x, part, file->size);
    return rc < 0 ? rc : send_part(x, file, *part);
}

static int send_beyond(struct weir_exchange *x, struct file *file)
{
    int rc = content_range(x, NULL, file->size);
    return rc < 0 ? rc : weir_reply_error(x, 416);
}

/* More than one Range field is no range (RFC 9110 section 14.2 knows one), and only GET has any. */
static enum range_kind wanted_range(struct weir_exchange *x, const struct validators *v,
                                    uint64_t size, struct range *out)
{
    struct weir_bytes value, more;
    unsigned at = 0;
    if (weir_request_method(x) != WEIR_METHOD_GET || !exchange_each(x, FIELD_RANGE, &at, &value) ||
        exchange_each(x, FIELD_RANGE, &at, &more) || !condition_if_range(x, v))
        return RANGE_WHOLE;
    return range_read(value, size, out);
}

static int reply_file(struct weir_exchange *x, struct file *file)
{
    if (!condition_any(x))
        return send_whole(x, file);
    struct validators v = {file->etag, file->modified_s};
    switch (condition_check(x, &v)) {
    case 304:
        return send_not_modified(x, file);
    case 412:
        return weir_reply_error(x, 412);
    default:
        break;
    }
    struct range part;
    switch (wanted_range(x, &v, file->size, &part)) {
    case RANGE_PART:
        return send_range(x, file, &part);
    case RANGE_BEYOND:
        return send_beyond(x, file);
    default:
        return send_whole(x, file);
    }
}

static int reply_path(struct weir_exchange *x, struct weir_bytes path)
{
    const struct files *files = weir_exchange_config(x);
    struct weir_driver *driver = weir_exchange_driver(x);
    struct local *local = driver->local;
    struct file *file;
    if (path_hidden(path))
        return -ENOENT;
    int rc = file_cache_get(&local->files, files->root, path, driver->now, &file);
    if (rc == -EISDIR)
        return reply_slash(x, path);
    if (rc < 0)
        return rc;
    rc = reply_file(x, file);
    weir_drop(&file->ref);
    return rc;
}

static int files_start(struct weir_exchange *x)
{
    enum weir_method method = weir_request_method(x);
    if (method == WEIR_METHOD_OPTIONS)
        return reply_options(x);
    if (method != WEIR_METHOD_GET && method != WEIR_METHOD_HEAD)
        return reply_not_allowed(x);
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path;
    switch (path_clean(weir_request_path(x), buffer, sizeof(buffer), &path)) {
    case PATH_CLEAN:
        return reply_path(x, path);
    case PATH_MALFORMED:
        return -EINVAL;
    default:
        return -ENOENT;
    }
}

const struct weir_handler files_handler = {.name = "files", .start = files_start};
