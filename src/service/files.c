#include "service/files.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/content.h"
#include "http/negotiate.h"
#include "http/target.h"
#include "service/listing.h"
#include "service/local.h"
#include "tbl/limits.h"
#include "tbl/mime.h"

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
static int reply_slash(struct weir_exchange *x, struct weir_bytes prefix, struct weir_bytes path)
{
    struct weir_bytes query = weir_request_query(x);
    size_t size = 3 * (prefix.len + path.len) + query.len + 3;
    char *location = weir_exchange_alloc(x, size);
    if (!location)
        return -ENOMEM;
    struct text t;
    text_init(&t, location, size);
    path_escape(&t, prefix);
    path_escape(&t, path);
    text_char(&t, '/');
    if (query.len > 0) {
        text_char(&t, '?');
        text_add(&t, query.at, query.len);
    }
    return weir_reply_redirect(x, 301, text_end(&t));
}

/* The usual request, which asks for nothing special. */
static int send_whole(struct weir_exchange *x, struct file *file)
{
    int rc = weir_reply_block(x, file->fields.at, file->fields.len, &file->ref);
    if (rc < 0)
        return rc;
    if (file->body)
        return weir_reply_bytes(x, file->body, file->size, &file->ref);
    return weir_reply_file(x, file->fd, 0, file->size, &file->ref);
}

static int reply_file(struct weir_exchange *x, struct file *file)
{
    if (!condition_any(x))
        return send_whole(x, file);
    struct content content = {
        .lines = file->fields,
        .lines_304 = file->fields_304,
        .validators = {file->etag, file->modified_s},
        .whole = {.kind = file->body ? WEIR_SPAN_BYTES : WEIR_SPAN_FILE,
                  .fd = file->fd,
                  .len = file->size,
                  .owner = &file->ref},
    };
    if (file->body)
        content.whole.bytes = file->body;
    return content_reply(x, &content);
}

static struct accept wanted_codings(struct local *local, const struct weir_exchange *x)
{
    struct weir_bytes value, more;
    unsigned at = 0;
    if (!exchange_each(x, FIELD_ACCEPT_ENCODING, &at, &value))
        return ACCEPT_IDENTITY;
    struct accept_memo *memo = &local->accepts[value.len % ACCEPT_MEMOS];
    if (value.len > sizeof(memo->text) || exchange_each(x, FIELD_ACCEPT_ENCODING, &at, &more))
        return accept_codings(x);
    if (value.len == 0 || memo->len != value.len || memcmp(memo->text, value.at, value.len) != 0) {
        memo->accept = accept_codings(x);
        memo->len = (uint8_t)value.len;
        memcpy(memo->text, value.at, value.len);
    }
    return memo->accept;
}

/* RFC 9110 section 12.5.3: only who refuses the plain content, too, is told that there is nothing. */
static int reply_not_acceptable(struct weir_exchange *x)
{
    int rc = weir_reply_field(x, "Vary", "Accept-Encoding");
    return rc < 0 ? rc : weir_reply_error(x, 406);
}

/* Has the file coded. true: the answer comes when it is; false: it goes out as it is, now. */
static bool code(struct weir_exchange *x, struct local *local, struct entry *entry,
                 enum coding coding, bool plain_will_do)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    if (driver->now.mono_ns < entry->later_ns)
        return false;
    struct coding_job *job = coding_find(&local->coding, entry, coding);
    if (!job)
        job = coding_begin(&local->coding, driver, &local->files, entry, coding);
    if (!job || (plain_will_do && entry->stamp.size > LIMIT_CODING_WAIT_BYTES) ||
        coding_wait(job, x) < 0)
        return false;
    if (plain_will_do) /* behind other files it may take longer than is worth waiting for */
        weir_exchange_arm(x, driver->now.mono_ns + LIMIT_CODING_WAIT_MS * WEIR_NS_PER_MS);
    return true;
}

/* `again`: it was waited for, now what there is must do. -ESTALE: the entry is out of date. */
static int reply_entry(struct weir_exchange *x, struct entry *entry, bool again)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    struct local *local = driver->local;
    struct accept accept = wanted_codings(local, x);
    int coding, rc;
    for (unsigned without = 0; (coding = entry_pick(entry, accept, without)) >= 0;) {
        struct file *file;
        rc = file_cache_load(&local->files, entry, (enum coding)coding, driver->now, &file);
        if (rc == 0) {
            rc = reply_file(x, file);
            weir_drop(&file->ref);
            return rc;
        }
        without |= 1u << coding;
        if (rc == -EFBIG)
            continue;
        if (rc != -ENOENT)
            return rc;
        if (!again && code(x, local, entry, (enum coding)coding, accept.rank[CODING_IDENTITY] > 0))
            return 0;
        without |= entry->made; /* one of them is under way */
    }
    return entry_pick(entry, accept, 0) >= 0 ? -EAGAIN : reply_not_acceptable(x);
}

static int reply_path(struct weir_exchange *x, struct weir_bytes path, bool again)
{
    const struct folder *folder = weir_exchange_config(x);
    struct weir_driver *driver = weir_exchange_driver(x);
    struct local *local = driver->local;
    int rc = -ESTALE;
    for (unsigned i = 0; i < LIMIT_FILE_RACE_TRIES && rc == -ESTALE; i++) {
        struct entry *entry;
        rc = file_cache_find(&local->files, folder, path, driver->now, &entry);
        if (rc < 0)
            break;
        rc = reply_entry(x, entry, again);
        weir_drop(&entry->ref);
    }
    if (rc == -EISDIR)
        return reply_slash(x, folder->prefix, path);
    if (rc == -ENOENT && folder->listing && path.at[path.len - 1] == '/')
        return listing_begin(x, folder, path);
    return rc == -ESTALE ? -EAGAIN : rc;
}

/* Somebody opens a page, no page asks for a part of itself: a browser says so; else it wants HTML by name. And the name does not
 * end like that of another kind of file. */
static bool is_navigation(const struct weir_exchange *x, const struct folder *folder,
                          struct weir_bytes path)
{
    struct weir_bytes mode;
    bool exact;
    const char *type = mime_type(folder->mime, path);
    if (strcmp(type, MIME_OTHER) != 0 && !bytes_starts(bytes_str(type), BYTES("text/html")))
        return false;
    if (weir_request_field(x, "Sec-Fetch-Mode", &mode))
        return bytes_equal(mode, BYTES("navigate"));
    return accept_type(x, BYTES("text/html"), &exact) > 0 && exact;
}

/* What is not there, where a page of one's own does its own routing. */
static int reply_fallback(struct weir_exchange *x, const struct folder *folder,
                          struct weir_bytes path, bool again)
{
    int rc = again ? 0 : weir_reply_field(x, "Vary", "Accept, Sec-Fetch-Mode");
    if (rc < 0)
        return rc;
    return is_navigation(x, folder, path) ? reply_path(x, bytes_str(folder->fallback), again)
                                          : weir_reply_error(x, 404);
}

static int reply(struct weir_exchange *x, bool again)
{
    const struct folder *folder = weir_exchange_config(x);
    char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path;
    switch (path_clean(weir_request_path(x), buffer, sizeof(buffer), &path)) {
    case PATH_CLEAN:
        break;
    case PATH_MALFORMED:
        return -EINVAL;
    default:
        return -ENOENT;
    }
    if (folder->prefix.len > 0) {
        path.at += folder->prefix.len;
        path.len -= folder->prefix.len;
        if (path.len == 0)
            return reply_slash(x, folder->prefix, path);
    }
    int rc = path_hidden(path) ? -ENOENT : reply_path(x, path, again);
    return rc == -ENOENT && folder->fallback && !path_hidden(path)
               ? reply_fallback(x, folder, path, again)
               : rc;
}

static int files_start(struct weir_exchange *x)
{
    enum weir_method method = weir_request_method(x);
    if (method == WEIR_METHOD_OPTIONS)
        return reply_options(x);
    if (method != WEIR_METHOD_GET && method != WEIR_METHOD_HEAD)
        return reply_not_allowed(x);
    return reply(x, false);
}

void files_resume(struct weir_exchange *x)
{
    if (x->begun || !weir_exchange_conn(x))
        return;
    weir_exchange_arm(x, 0);
    int rc = reply(x, true);
    if (rc < 0)
        (void)exchange_fail(x, rc); /* it has not begun, so there is no connection to cut */
}

bool files_error_page(const struct folder *folder, struct weir_exchange *x, unsigned status)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    struct local *local = driver->local;
    const char *path = folder_error_page(folder, status);
    struct entry *entry;
    struct file *file;
    if (!path || file_cache_find(&local->files, folder, bytes_str(path), driver->now, &entry) < 0)
        return false;
    int rc = file_cache_load(&local->files, entry, CODING_IDENTITY, driver->now, &file);
    if (rc == 0) {
        rc = weir_reply_field(x, "Content-Type", entry->type);
        if (rc == 0)
            rc = weir_reply_field(x, "X-Content-Type-Options", "nosniff");
        if (rc == 0 && file->body)
            rc = weir_reply_bytes(x, file->body, file->size, &file->ref);
        else if (rc == 0)
            rc = weir_reply_file(x, file->fd, 0, file->size, &file->ref);
        weir_drop(&file->ref);
    }
    weir_drop(&entry->ref);
    return rc == 0;
}

const struct weir_handler files_handler = {
    .name = "files",
    .start = files_start,
    .expire = files_resume,
};
