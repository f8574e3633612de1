#include "service/listing.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/content.h"
#include "http/negotiate.h"
#include "service/file.h"
#include "tbl/limits.h"

#include <weir/driver.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_MAX 512

/* A page on its way out. */
struct body {
    struct weir_ref ref;
    char *at;
    size_t len;
    size_t fields_304;
    struct weir_bytes etag, fields;
    char lines[FIELDS_MAX];
};

struct listing_job {
    struct weir_job job;
    struct weir_exchange *x;     /* held */
    const struct folder *folder; /* of a site, which outlives its jobs */
    struct listing listing;
    bool json;
    enum coding coding;
    int fd;
    int result;
    struct body *body;
    char url_path[];
};

static void body_free(struct weir_ref *ref)
{
    struct body *body = (struct body *)ref;
    free(body->at);
    free(body);
}

/* The value of a parameter of the query; empty: it is not there. */
static struct weir_bytes parameter(struct weir_bytes query, struct weir_bytes name)
{
    while (query.len > 0) {
        const char *end = memchr(query.at, '&', query.len);
        size_t len = end ? (size_t)(end - query.at) : query.len;
        if (len > name.len && query.at[name.len] == '=' &&
            bytes_starts((struct weir_bytes){query.at, len}, name))
            return (struct weir_bytes){query.at + name.len + 1, len - name.len - 1};
        query.at += end ? len + 1 : len;
        query.len -= end ? len + 1 : len;
    }
    return (struct weir_bytes){0};
}

/* The query says so, or else Accept likes it better. */
static bool wants_json(const struct weir_exchange *x)
{
    struct weir_bytes format = parameter(weir_request_query(x), BYTES("format"));
    bool exact;
    if (format.len > 0)
        return bytes_equal(format, BYTES("json"));
    return accept_type(x, BYTES("application/json"), &exact) >
           accept_type(x, BYTES("text/html"), &exact);
}

static void read_query(struct listing *listing, struct weir_bytes query)
{
    struct weir_bytes sort = parameter(query, BYTES("sort"));
    if (bytes_equal(sort, BYTES("size")))
        listing->sort = LISTING_SIZE;
    else if (bytes_equal(sort, BYTES("time")))
        listing->sort = LISTING_TIME;
    listing->descending = bytes_equal(parameter(query, BYTES("order")), BYTES("desc"));
}

static enum coding pick_coding(const struct folder *folder, struct accept accept)
{
    int best = CODING_IDENTITY;
    for (int i = 0; i < CODINGS; i++) {
        bool offered = i == CODING_IDENTITY || folder->offered & 1u << i;
        if (offered && (accept.rank[i] > accept.rank[best] ||
                        (accept.rank[i] == accept.rank[best] &&
                         folder->preference[i] > folder->preference[best])))
            best = i;
    }
    return (enum coding)best;
}

static uint64_t hash_of(const char *at, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)at[i]) * 0x100000001b3u;
    return hash;
}

/* In place of the page, what coding makes of it, if that is less. */
static void code_body(struct listing_job *job)
{
    struct body *body = job->body;
    char *coded = body->len >= LIMIT_CODING_MIN_BYTES ? malloc(body->len) : NULL;
    ssize_t n = -1;
    if (coded)
        n = coder_bytes(job->coding, coder_level(job->coding),
                        (struct weir_bytes){body->at, body->len}, coded, body->len);
    if (n < 0) { /* it does not fit, or there is no memory: as it is */
        free(coded);
        job->coding = CODING_IDENTITY;
        return;
    }
    free(body->at);
    body->at = coded;
    body->len = (size_t)n;
}

static void write_fields(const struct listing_job *job, struct body *body)
{
    struct text t;
    text_init(&t, body->lines, sizeof(body->lines));
    text_str(&t, "ETag: ");
    size_t tag = t.len;
    text_char(&t, '"');
    text_hex(&t, body->len);
    text_char(&t, '-');
    text_hex(&t, hash_of(body->at, body->len));
    text_char(&t, '"');
    body->etag = (struct weir_bytes){body->lines + tag, t.len - tag};
    text_str(&t, "\r\nCache-Control: no-cache\r\nVary: Accept, Accept-Encoding\r\n");
    body->fields_304 = t.len;
    text_str(&t, job->json ? "Content-Type: application/json\r\n"
                           : "Content-Type: text/html; charset=utf-8\r\n");
    if (job->coding != CODING_IDENTITY) {
        text_str(&t, "Content-Encoding: ");
        text_str(&t, coding_name(job->coding));
        text_str(&t, "\r\n");
    }
    text_str(&t, "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: ");
    text_str(&t, listing_policy);
    text_str(&t, "\r\n");
    body->fields = (struct weir_bytes){body->lines, t.len};
}

static int make_body(struct listing_job *job)
{
    struct body *body = calloc(1, sizeof(*body));
    if (!body)
        return -ENOMEM;
    job->body = body;
    body->ref = (struct weir_ref){1, body_free};
    body->at = job->json ? listing_json(&job->listing, &body->len)
                         : listing_html(&job->listing, &body->len);
    if (!body->at)
        return -ENOMEM;
    if (job->coding != CODING_IDENTITY)
        code_body(job);
    write_fields(job, body);
    return 0;
}

static void work(struct weir_job *weir_job)
{
    struct listing_job *job = (struct listing_job *)weir_job;
    job->result = listing_read(&job->listing, job->folder, job->fd);
    job->fd = -1;
    if (job->result == 0)
        job->result = make_body(job);
    listing_done(&job->listing);
}

static int reply(struct weir_exchange *x, struct body *body)
{
    struct content content = {
        .lines = body->fields,
        .lines_304 = body->fields_304,
        /* Made this moment, and said by its tag alone. */
        .validators = {body->etag, x->driver->now.wall_ns / (int64_t)WEIR_NS_PER_S},
        .whole = {.kind = WEIR_SPAN_BYTES,
                  .len = body->len,
                  .bytes = (const uint8_t *)body->at,
                  .owner = &body->ref},
    };
    reply_fields_yield(x, body->fields);
    return content_reply(x, &content);
}

static void done(struct weir_job *weir_job)
{
    struct listing_job *job = (struct listing_job *)weir_job;
    struct weir_exchange *x = job->x;
    if (!job->job.cancelled && weir_exchange_conn(x) && !x->begun) {
        int rc = job->result < 0 ? job->result : reply(x, job->body);
        if (rc < 0)
            (void)exchange_fail(x, rc); /* it has not begun, so there is no connection to cut */
    }
    if (job->fd >= 0) /* it never ran */
        close(job->fd);
    if (job->body)
        weir_drop(&job->body->ref);
    weir_exchange_drop(x);
    free(job);
}

static int open_folder(const struct folder *folder, struct weir_bytes path, int *out_fd)
{
    char name[LIMIT_FILE_PATH_BYTES + 1];
    struct text t;
    if (path.len > LIMIT_FILE_PATH_BYTES)
        return -ENOENT;
    text_init(&t, name, sizeof(name));
    text_add(&t, path.at + 1, path.len - 1);
    return file_open_folder(folder->root, t.len > 0 ? text_end(&t) : ".", out_fd);
}

/* Of the site, which is what links are taken from; and the end of it, below the root. */
static void set_paths(struct listing_job *job, struct weir_bytes prefix, struct weir_bytes path)
{
    if (prefix.len > 0)
        memcpy(job->url_path, prefix.at, prefix.len);
    memcpy(job->url_path + prefix.len, path.at, path.len);
    job->listing.url_path = (struct weir_bytes){job->url_path, prefix.len + path.len};
    job->listing.path = (struct weir_bytes){job->url_path + prefix.len, path.len};
}

int listing_begin(struct weir_exchange *x, const struct folder *folder, struct weir_bytes path)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    struct accept accept = accept_codings(x);
    int fd, rc = open_folder(folder, path, &fd);
    if (rc < 0)
        return rc;
    struct listing_job *job = calloc(1, sizeof(*job) + folder->prefix.len + path.len);
    if (!job) {
        close(fd);
        return -ENOMEM;
    }
    job->job.work = work;
    job->job.done = done;
    job->x = x;
    job->folder = folder;
    job->fd = fd;
    job->json = wants_json(x);
    job->coding = pick_coding(folder, accept);
    set_paths(job, folder->prefix, path);
    read_query(&job->listing, weir_request_query(x));
    rc = driver->ops->submit(driver, &job->job);
    if (rc < 0) {
        close(fd);
        free(job);
        return rc;
    }
    weir_exchange_hold(x);
    return 0;
}
