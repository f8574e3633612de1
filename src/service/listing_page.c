#include "base/bytes.h"
#include "base/text.h"
#include "base/utf8.h"
#include "http/target.h"
#include "service/listing.h"
#include "tbl/listing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_MAX_BYTES 255
#define ROW_MAX                                                                                    \
    (NAME_MAX_BYTES * 11 + 512) /* a name escaped for HTML or JSON, and once more for an address */
#define FRAME_MAX 8192          /* all but rows and paths */

/* No script, nothing from elsewhere. */
const char listing_policy[] = "default-src 'none'; style-src 'sha256-" LISTING_STYLE_HASH
                              "'; base-uri 'none'; form-action 'none'";

/* Text that grows by rows: there is room for one before it is written. */
struct page {
    struct text text;
    bool failed;
};

static void page_room(struct page *page, size_t len)
{
    if (page->failed || page->text.size - page->text.len >= len)
        return;
    size_t size =
        page->text.size * 2 > page->text.len + len ? page->text.size * 2 : page->text.len + len;
    char *at = realloc(page->text.at, size);
    if (!at) {
        page->failed = true;
        return;
    }
    page->text.at = at;
    page->text.size = size;
}

static char *page_take(struct page *page, size_t *out_len)
{
    if (page->failed || page->text.cut) {
        free(page->text.at);
        return NULL;
    }
    *out_len = page->text.len;
    return page->text.at;
}

/* What is no character is shown as U+FFFD, so are controls and what would turn the direction of the rest around. */
static void add_html(struct text *t, struct weir_bytes bytes)
{
    uint32_t c;
    for (size_t i = 0, n; i < bytes.len; i += n) {
        n = utf8_read((struct weir_bytes){bytes.at + i, bytes.len - i}, &c);
        if (c == '&')
            text_str(t, "&amp;");
        else if (c == '<')
            text_str(t, "&lt;");
        else if (c == '>')
            text_str(t, "&gt;");
        else if (c == '"')
            text_str(t, "&quot;");
        else if (utf8_is_shown(c))
            text_add(t, bytes.at + i, n);
        else
            text_str(t, UTF8_REPLACEMENT);
    }
}

static void add_json(struct text *t, struct weir_bytes bytes)
{
    uint32_t c;
    text_char(t, '"');
    for (size_t i = 0, n; i < bytes.len; i += n) {
        n = utf8_read((struct weir_bytes){bytes.at + i, bytes.len - i}, &c);
        if (c == '"' || c == '\\') {
            text_char(t, '\\');
            text_char(t, (char)c);
        } else if (c < 0x20) {
            text_fmt(t, "\\u%04x", (unsigned)c);
        } else if (c == UTF8_NONE) {
            text_str(t, UTF8_REPLACEMENT);
        } else {
            text_add(t, bytes.at + i, n);
        }
    }
    text_char(t, '"');
}

/* An address may have an ampersand in it, which means something to HTML. */
static void add_path(struct text *t, struct weir_bytes path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] == '&')
            text_str(t, "&amp;");
        else
            path_escape(t, (struct weir_bytes){path.at + i, 1});
    }
}

/* Each folder on the way is a link, those above a mount too: they are of the same site. The last one is this. */
static void add_trail(struct page *page, struct weir_bytes path)
{
    struct text *t = &page->text;
    text_str(t, "<a href=\"/\">/</a>");
    for (size_t at = 1, end; at < path.len; at = end + 1) {
        const char *slash = memchr(path.at + at, '/', path.len - at);
        end = (size_t)(slash - path.at);
        page_room(page, path.len * 14 + 128);
        text_str(t, " <a href=\"");
        add_path(t, (struct weir_bytes){path.at, end + 1});
        text_str(t, end + 1 == path.len ? "\" aria-current=\"page\"><bdi>" : "\"><bdi>");
        add_html(t, (struct weir_bytes){path.at + at, end - at});
        text_str(t, "</bdi>/</a>");
    }
}

static void add_heading(struct text *t, const struct listing *listing, enum listing_sort sort,
                        const char *key, const char *title)
{
    bool mine = listing->sort == sort;
    bool descends = mine ? listing->descending : false;
    text_str(t, "<th scope=\"col\"");
    if (mine)
        text_str(t, descends ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"");
    text_str(t, "><a href=\"?sort=");
    text_str(t, key);
    text_str(t, mine && !descends ? "&amp;order=desc\">" : "\">");
    text_str(t, title);
    text_str(t, "</a>");
}

/* "999", "1.2 kB", "34 MB": powers of 1000, as file managers show them. */
static void add_size(struct text *t, uint64_t size)
{
    static const char *const units[] = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
    uint64_t unit = 1;
    size_t i = 0;
    while (size / unit >= 1000) {
        unit *= 1000;
        i++;
    }
    text_u64(t, size / unit);
    if (i > 0 && size / unit < 10) {
        text_char(t, '.');
        text_u64(t, size % unit / (unit / 10));
    }
    text_str(t, units[i]);
}

/* "2024-03-01", and with `clock` the time of day behind it, in UTC. */
static void add_time(struct text *t, int64_t seconds, const char *format)
{
    char text[96];
    struct tm parts;
    time_t when = (time_t)seconds;
    if (gmtime_r(&when, &parts) && strftime(text, sizeof(text), format, &parts) > 0)
        text_str(t, text);
}

static void add_row(struct text *t, const struct listing_row *row)
{
    text_str(t, row->folder ? "<tr class=\"d\"><td><a href=\"" : "<tr><td><a href=\"");
    text_str(t, "./"); /* or a name with a colon would begin like a scheme */
    add_path(t, bytes_str(row->name));
    text_str(t, row->folder ? "/\"><bdi>" : "\"><bdi>");
    add_html(t, bytes_str(row->name));
    text_str(t, row->folder ? "</bdi>/</a><td>" : "</bdi></a><td>");
    if (!row->folder)
        add_size(t, row->size);
    text_str(t, "<td><time datetime=\"");
    add_time(t, row->modified_s, "%Y-%m-%dT%H:%M:%SZ\">%Y-%m-%d<span> %H:%M</span></time>\n");
}

static void add_sum(struct text *t, const struct listing *listing)
{
    uint64_t folders = 0, bytes = 0;
    for (size_t i = 0; i < listing->count; i++) {
        folders += listing->rows[i].folder;
        bytes += listing->rows[i].size;
    }
    uint64_t files = listing->count - folders;
    text_str(t, "</table>\n<p>");
    if (listing->cut)
        text_str(t, "There is more here than is listed: ");
    text_u64(t, folders);
    text_str(t, folders == 1 ? " folder, " : " folders, ");
    text_u64(t, files);
    text_str(t, files == 1 ? " file, " : " files, ");
    add_size(t, bytes);
    text_str(t, ". Times are UTC.</p>\n");
}

char *listing_html(const struct listing *listing, size_t *out_len)
{
    struct page page = {0};
    struct text *t = &page.text;
    page_room(&page, FRAME_MAX + listing->url_path.len * 6);
    text_str(t, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    add_html(t, listing->url_path);
    text_str(t, "</title>\n<style>" LISTING_STYLE "</style>\n<h1>");
    add_trail(&page, listing->url_path);
    page_room(&page, FRAME_MAX);
    text_str(t, "</h1>\n<table>\n<thead><tr>");
    add_heading(t, listing, LISTING_NAME, "name", "Name");
    add_heading(t, listing, LISTING_SIZE, "size", "Size");
    add_heading(t, listing, LISTING_TIME, "time", "Modified");
    text_str(t, "\n<tbody>\n");
    if (listing->url_path.len > 1)
        text_str(t, "<tr class=\"d\"><td><a href=\"../\">../</a><td><td>\n");
    for (size_t i = 0; i < listing->count; i++) {
        page_room(&page, ROW_MAX);
        add_row(t, &listing->rows[i]);
    }
    page_room(&page, FRAME_MAX);
    add_sum(t, listing);
    text_str(t, "</html>\n");
    return page_take(&page, out_len);
}

static void add_member(struct text *t, const struct listing_row *row, bool first)
{
    text_str(t, first ? "\n    {\"name\": " : ",\n    {\"name\": ");
    add_json(t, bytes_str(row->name));
    text_str(t, ", \"href\": \"");
    text_str(t, "./");
    path_escape(t, bytes_str(row->name));
    text_str(t, row->folder ? "/\", \"type\": \"folder\"" : "\", \"type\": \"file\", \"size\": ");
    if (!row->folder)
        text_u64(t, row->size);
    text_str(t, ", \"modified\": \"");
    add_time(t, row->modified_s, "%Y-%m-%dT%H:%M:%SZ\"}");
}

char *listing_json(const struct listing *listing, size_t *out_len)
{
    struct page page = {0};
    struct text *t = &page.text;
    page_room(&page, FRAME_MAX + listing->url_path.len * 6);
    text_str(t, "{\n  \"path\": ");
    add_json(t, listing->url_path);
    text_str(t, listing->cut ? ",\n  \"truncated\": true" : ",\n  \"truncated\": false");
    text_str(t, ",\n  \"entries\": [");
    for (size_t i = 0; i < listing->count; i++) {
        page_room(&page, ROW_MAX);
        add_member(t, &listing->rows[i], i == 0);
    }
    page_room(&page, FRAME_MAX);
    text_str(t, listing->count > 0 ? "\n  ]\n}\n" : "]\n}\n");
    return page_take(&page, out_len);
}
