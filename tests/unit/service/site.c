/* The file service through the seam, over a folder made for the test. */
#include "service/site.h"

#include "../http/world.h"
#include "base/bytes.h"
#include "service/local.h"
#include "tbl/limits.h"

#include <weir/server.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bench {
    struct world *w;
    struct site *site;
    const struct weir_service *service;
    char dir[64];  /* everything */
    char root[80]; /* what is served */
    char log[80];
};

static char *path_in(const struct bench *b, const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", b->root, name);
    return path;
}

static void put(const struct bench *b, const char *name, const char *bytes, size_t len)
{
    FILE *f = fopen(path_in(b, name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void put_text(const struct bench *b, const char *name, const char *text)
{
    put(b, name, text, strlen(text));
}

static void make_tree(const struct bench *b)
{
    char outside[128];
    snprintf(outside, sizeof(outside), "%s/secret", b->dir);
    FILE *f = fopen(outside, "w");
    assert_non_null(f);
    fputs("SECRET", f);
    fclose(f);
    put_text(b, "index.html", "<p>index");
    put_text(b, "digits.txt", "0123456789");
    put_text(b, "empty", "");
    put_text(b, ".hidden", "SECRET");
    assert_int_equal(mkdir(path_in(b, "dir"), 0755), 0);
    put_text(b, "dir/index.html", "<p>dir");
    put_text(b, "dir/a b", "space");
    assert_int_equal(mkdir(path_in(b, ".well-known"), 0755), 0);
    put_text(b, ".well-known/x", "known");
    put_text(b, ".well-known/.x", "SECRET");
    assert_int_equal(mkdir(path_in(b, ".git"), 0755), 0);
    put_text(b, ".git/config", "SECRET");
    assert_int_equal(mkfifo(path_in(b, "fifo"), 0644), 0);
    assert_int_equal(symlink("../secret", path_in(b, "up")), 0);
    assert_int_equal(symlink(outside, path_in(b, "absolute")), 0);
    assert_int_equal(symlink("..", path_in(b, "updir")), 0);
    assert_int_equal(symlink("digits.txt", path_in(b, "inside")), 0);
    assert_int_equal(symlink("dir", path_in(b, "insidedir")), 0);
    assert_int_equal(symlink("loop", path_in(b, "loop")), 0);
    assert_int_equal(symlink("/dev/zero", path_in(b, "zero")), 0);
    assert_int_equal(symlink("/proc/self/root/etc/passwd", path_in(b, "magic")), 0);
    put_text(b, "secret-mode", "SECRET");
    assert_int_equal(chmod(path_in(b, "secret-mode"), 0), 0);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    const char *tmp = getenv("TMPDIR");
    snprintf(b->dir, sizeof(b->dir), "%s/weir-site-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(b->dir))
        return -1;
    snprintf(b->root, sizeof(b->root), "%s/root", b->dir);
    snprintf(b->log, sizeof(b->log), "%s/log", b->dir);
    mkdir(b->root, 0755);
    make_tree(b);
    struct site_options options = {.root = b->root, .account.logs.access = b->log};
    if (site_open(&options, &b->site) < 0)
        return -1;
    b->service = site_service(b->site);
    b->w = world_new();
    /* Ahead of the files' times, so that they count as settled. */
    b->w->driver.now.wall_ns = (int64_t)(time(NULL) + 10) * 1000000000;
    if (b->service->worker_start(&b->w->driver, b->service->arg) < 0)
        return -1;
    world_connect(b->w, b->service->protocol, b->service->config);
    *state = b;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void end_worker(struct bench *b)
{
    weir_conn_free(b->w->conn);
    b->w->conn = NULL;
    if (b->w->driver.local)
        b->service->worker_end(&b->w->driver, b->service->arg);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    end_worker(b);
    world_free(b->w);
    site_close(b->site);
    int rc = nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
    return rc;
}

/* One request; the answer as text. */
static const char *ask(struct bench *b, const char *method, const char *target, const char *fields)
{
    static char request[8192];
    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, target,
             fields);
    if (world_closed(b->w))
        world_connect(b->w, b->service->protocol, b->service->config);
    world_say(b->w, request);
    return world_take(b->w);
}

static int status_of(const char *answer)
{
    assert_memory_equal(answer, "HTTP/1.1 ", 9);
    return atoi(answer + 9);
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static const char *field_of(const char *answer, const char *name)
{
    static char value[512];
    char start[64];
    snprintf(start, sizeof(start), "\r\n%s: ", name);
    const char *at = strstr(answer, start);
    if (!at)
        return NULL;
    at += strlen(start);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static void files_are_served(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 3; i++) { /* the second time from the cache */
        const char *answer = ask(b, "GET", "/digits.txt", "");
        assert_int_equal(status_of(answer), 200);
        assert_string_equal(body_of(answer), "0123456789");
        assert_string_equal(field_of(answer, "Content-Type"), "text/plain; charset=utf-8");
        assert_string_equal(field_of(answer, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(field_of(answer, "Accept-Ranges"), "bytes");
        assert_non_null(field_of(answer, "Last-Modified"));
        assert_string_equal(body_of(ask(b, "HEAD", "/digits.txt", "")), "");
    }
    assert_string_equal(body_of(ask(b, "GET", "/", "")), "<p>index");
    assert_string_equal(body_of(ask(b, "GET", "/dir/", "")), "<p>dir");
    assert_string_equal(body_of(ask(b, "GET", "/dir/a%20b", "")), "space");
    assert_string_equal(body_of(ask(b, "GET", "/inside", "")), "0123456789");
    assert_string_equal(body_of(ask(b, "GET", "/insidedir/", "")), "<p>dir");
    assert_string_equal(body_of(ask(b, "GET", "/.well-known/x", "")), "known");
    assert_string_equal(body_of(ask(b, "GET", "/empty", "")), "");
    assert_string_equal(field_of(ask(b, "GET", "/empty", ""), "Content-Length"), "0");
}

struct row {
    const char *target;
    int status;
};

static const struct row hostile[] = {
    {"/nothing", 404},
    {"/digits.txt/", 404},
    {"/digits.txt/x", 404},
    {"/.hidden", 404},
    {"/%2ehidden", 404},
    {"/dir/../.hidden", 404},
    {"/.git/config", 404},
    {"/.git", 404},
    {"/.well-known/.x", 404},
    {"/.well-known/", 404},
    {"/../secret", 404},
    {"/%2e%2e/secret", 404},
    {"/..%2fsecret", 404},
    {"/dir/..%2f..%2fsecret", 404},
    {"/%252e%252e/secret", 404},
    {"/..\\secret", 404},
    {"//secret", 404},
    {"/up", 404},
    {"/absolute", 404},
    {"/updir/secret", 404},
    {"/updir/", 404},
    {"/updir/root/digits.txt", 404},
    {"/loop", 404},
    {"/fifo", 404},
    {"/zero", 404},
    {"/magic", 404},
    {"/%00", 400},
    {"/digits.txt%00.html", 400},
    {"/%", 400},
    {"/%f", 400},
    {"/dir%2findex.html", 404},
};

static void nothing_outside_or_hidden_comes_out(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        print_message("%s\n", hostile[i].target);
        const char *answer = ask(b, "GET", hostile[i].target, "");
        assert_int_equal(status_of(answer), hostile[i].status);
        assert_null(strstr(answer, "SECRET"));
        assert_null(strstr(answer, "root:"));
    }
    char target[6000] = "/";
    memset(target + 1, 'x', 300);
    assert_int_equal(status_of(ask(b, "GET", target, "")), 404);
    memset(target + 1, 'x', 5000);
    assert_int_equal(status_of(ask(b, "GET", target, "")), 404);
    if (geteuid() != 0)
        assert_int_equal(status_of(ask(b, "GET", "/secret-mode", "")), 403);
}

static void a_folder_gets_its_slash(void **state)
{
    struct bench *b = *state;
    static const char *const rows[][2] = {{"/dir", "/dir/"},      {"/dir?a=//b", "/dir/?a=//b"},
                                          {"//dir", "/dir/"},     {"/%64ir", "/dir/"},
                                          {"/x/../dir", "/dir/"}, {"/insidedir", "/insidedir/"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *answer = ask(b, "GET", rows[i][0], "");
        assert_int_equal(status_of(answer), 301);
        assert_string_equal(field_of(answer, "Location"), rows[i][1]);
    }
    assert_int_equal(mkdir(path_in(b, "a\"<b\r\n"), 0755), 0);
    const char *answer = ask(b, "GET", "/a%22%3cb%0d%0a", "");
    assert_string_equal(field_of(answer, "Location"), "/a%22%3Cb%0D%0A/");
}

static void methods(void **state)
{
    struct bench *b = *state;
    static const char *const refused[] = {"POST", "PUT", "DELETE", "TRACE", "PATCH"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const char *answer = ask(b, refused[i], "/digits.txt", "");
        assert_int_equal(status_of(answer), 405);
        assert_string_equal(field_of(answer, "Allow"), "GET, HEAD, OPTIONS");
    }
    const char *answer = ask(b, "OPTIONS", "*", "");
    assert_int_equal(status_of(answer), 204);
    assert_string_equal(field_of(answer, "Allow"), "GET, HEAD, OPTIONS");
    assert_null(field_of(answer, "Content-Length"));
    assert_int_equal(status_of(ask(b, "CONNECT", "h:443", "")), 405);
    world_connect(b->w, b->service->protocol, b->service->config); /* nothing is read behind it */
    assert_int_equal(status_of(ask(b, "BREW", "/", "")), 501);
}

static void conditions_and_ranges(void **state)
{
    struct bench *b = *state;
    char etag[128], fields[256];
    snprintf(etag, sizeof(etag), "%.127s", field_of(ask(b, "GET", "/digits.txt", ""), "ETag"));
    snprintf(fields, sizeof(fields), "If-None-Match: %s\r\n", etag);
    const char *answer = ask(b, "GET", "/digits.txt", fields);
    assert_int_equal(status_of(answer), 304);
    assert_string_equal(body_of(answer), "");
    assert_string_equal(field_of(answer, "ETag"), etag);
    assert_int_equal(status_of(ask(b, "GET", "/digits.txt", "If-Match: \"x\"\r\n")), 412);
    answer = ask(b, "GET", "/digits.txt", "Range: bytes=2-4\r\n");
    assert_int_equal(status_of(answer), 206);
    assert_string_equal(field_of(answer, "Content-Range"), "bytes 2-4/10");
    assert_string_equal(body_of(answer), "234");
    answer = ask(b, "GET", "/digits.txt", "Range: bytes=10-\r\n");
    assert_int_equal(status_of(answer), 416);
    assert_string_equal(field_of(answer, "Content-Range"), "bytes */10");
    answer = ask(b, "GET", "/digits.txt", "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n");
    assert_int_equal(status_of(answer), 200);
    snprintf(fields, sizeof(fields), "Range: bytes=2-4\r\nIf-Range: %s\r\n", etag);
    assert_int_equal(status_of(ask(b, "GET", "/digits.txt", fields)), 206);
    assert_int_equal(status_of(ask(b, "HEAD", "/digits.txt", "Range: bytes=2-4\r\n")), 200);
    answer = ask(b, "GET", "/digits.txt", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n");
    assert_int_equal(status_of(answer), 200);
}

static void large_files_go_out_as_files(void **state)
{
    struct bench *b = *state;
    static char large[LIMIT_FILE_READY_BYTES + 1000];
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)('a' + i % 23);
    put(b, "large", large, sizeof(large));
    const char *answer = ask(b, "GET", "/large", "");
    assert_int_equal(status_of(answer), 200);
    assert_memory_equal(body_of(answer), large, sizeof(large));
    answer = ask(b, "GET", "/large", "Range: bytes=-100\r\n");
    char range[80];
    snprintf(range, sizeof(range), "bytes %zu-%zu/%zu", sizeof(large) - 100, sizeof(large) - 1,
             sizeof(large));
    assert_string_equal(field_of(answer, "Content-Range"), range);
    assert_memory_equal(body_of(answer), large + sizeof(large) - 100, 100);
    put(b, "edge", large, LIMIT_FILE_READY_BYTES);
    assert_memory_equal(body_of(ask(b, "GET", "/edge", "")), large, LIMIT_FILE_READY_BYTES);
}

static void a_file_that_shrinks_ends_the_connection(void **state)
{
    struct bench *b = *state;
    static char large[4 * LIMIT_FILE_READY_BYTES];
    memset(large, 'x', sizeof(large));
    put(b, "large", large, sizeof(large));
    static const char get[] = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_true(weir_conn_feed(b->w->conn, (const uint8_t *)get, sizeof(get) - 1) > 0);
    assert_true(weir_conn_turn(b->w->conn) & WEIR_IO_WRITE);
    put(b, "large", large, 1000);
    world_turn(b->w);
    assert_true(world_closed(b->w));
    assert_int_equal(weir_conn_why(b->w->conn), -EIO);
}

static void changes_are_seen_within_a_second(void **state)
{
    struct bench *b = *state;
    assert_string_equal(body_of(ask(b, "GET", "/digits.txt", "")), "0123456789");
    put_text(b, "other", "new and longer");
    assert_int_equal(rename(path_in(b, "other"), "/dev/null/x"), -1);
    char from[256];
    snprintf(from, sizeof(from), "%s", path_in(b, "other"));
    assert_int_equal(rename(from, path_in(b, "digits.txt")), 0);
    world_wait(b->w, LIMIT_FILE_CHECK_MS);
    assert_string_equal(body_of(ask(b, "GET", "/digits.txt", "")), "new and longer");
    assert_int_equal(unlink(path_in(b, "digits.txt")), 0);
    world_wait(b->w, LIMIT_FILE_CHECK_MS);
    assert_int_equal(status_of(ask(b, "GET", "/digits.txt", "")), 404);
    put_text(b, "digits.txt", "back");
    assert_string_equal(body_of(ask(b, "GET", "/digits.txt", "")),
                        "back"); /* no memory of the 404 */
}

/* A file that was just written may be written again within the same tick of the kernel's clock. */
static void what_is_fresh_is_not_kept(void **state)
{
    struct bench *b = *state;
    struct local *local = b->w->driver.local;
    struct stat st;
    put_text(b, "fresh", "one");
    assert_int_equal(stat(path_in(b, "fresh"), &st), 0);
    b->w->driver.now.wall_ns = st.st_ctim.tv_sec * 1000000000ll + st.st_ctim.tv_nsec + 1000;
    unsigned count = local->files.ready.count;
    assert_string_equal(body_of(ask(b, "GET", "/fresh", "")), "one");
    assert_int_equal(local->files.ready.count, count);
    b->w->driver.now.wall_ns += (LIMIT_FILE_FRESH_MS + 1) * 1000000ll;
    assert_string_equal(body_of(ask(b, "GET", "/fresh", "")), "one");
    assert_int_equal(local->files.ready.count, count + 1);
}

/* Another thread swaps a folder for a link that leads out, as fast as it can. */
static atomic_bool swapping;
static struct bench *swapped;

static void *swap(void *arg)
{
    (void)arg;
    char a[256], c[256], d[256];
    snprintf(a, sizeof(a), "%s", path_in(swapped, "swap"));
    snprintf(c, sizeof(c), "%s", path_in(swapped, "swap-dir"));
    snprintf(d, sizeof(d), "%s", path_in(swapped, "swap-link"));
    while (swapping) {
        rename(a, c);
        rename(d, a);
        rename(a, d);
        rename(c, a);
    }
    return NULL;
}

static void renames_open_no_way_out(void **state)
{
    struct bench *b = swapped = *state;
    assert_int_equal(mkdir(path_in(b, "swap"), 0755), 0);
    put_text(b, "swap/secret", "public");
    assert_int_equal(symlink("..", path_in(b, "swap-link")), 0);
    pthread_t thread;
    swapping = true;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    unsigned found = 0;
    for (int i = 0; i < 3000; i++) {
        b->w->driver.now.mono_ns += WEIR_NS_PER_S; /* looked up anew each time */
        const char *answer = ask(b, "GET", i % 2 ? "/swap/secret" : "/swap/../swap/./secret", "");
        int status = status_of(answer);
        if (status != 200 && status != 404 && status != 503)
            swapping = false;
        assert_true(status == 200 || status == 404 || status == 503);
        assert_null(strstr(answer, "SECRET"));
        found += status == 200;
    }
    swapping = false;
    pthread_join(thread, NULL);
    assert_true(found > 0);
}

static char *read_log(const struct bench *b)
{
    static char text[4 * 1024 * 1024];
    FILE *f = fopen(b->log, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

static unsigned said; /* by the log process */

static void hear(const struct weir_helper *helper, enum weir_report kind, const char *text)
{
    (void)helper;
    assert_int_equal(kind, WEIR_REPORT_WARNING);
    assert_non_null(strstr(text, "access log"));
    said++;
}

/* The log process, as it is when nobody is left who could write. */
static void write_log(const struct bench *b)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    struct weir_helper helper = {.stop = ends[0], .say = hear};
    said = 0;
    assert_int_equal(b->service->beside[0].run(&helper, b->service->beside[0].arg), 0);
    close(ends[0]);
}

static void the_log(void **state)
{
    struct bench *b = *state;
    struct weir_driver *driver = &b->w->driver;
    driver->now.wall_ns = 784111777 * 1000000000ll;
    assert_int_equal(b->service->idle(driver, b->service->arg), 0);
    ask(b, "GET", "/nothing?\"x\\", "Referer: http://r/\r\nUser-Agent: a\"b\\c\x80\td\r\n");
    assert_int_equal(b->service->idle(driver, b->service->arg), 0);
    write_log(b);
    char *line = read_log(b);
    const char *want =
        "2001:db8::1 - - [06/Nov/1994:08:49:37 +0000] \"GET /nothing?\\x22x\\x5c HTTP/1.1\" 404 ";
    assert_memory_equal(line, want, strlen(want));
    assert_non_null(strstr(line, " \"http://r/\" \"a\\x22b\\x5cc\\x80\\x09d\" 0.000000\n"));
    /* A head that drips: its time counts from its first byte. */
    world_say(b->w, "GET /nothing HTTP/1.1\r\n");
    world_wait(b->w, 1234);
    world_say(b->w, "Host: h\r\n\r\n");
    end_worker(b);
    write_log(b);
    line = strchr(read_log(b), '\n') + 1;
    assert_non_null(strstr(line, "\"GET /nothing HTTP/1.1\" 404 "));
    assert_non_null(strstr(line, " \"-\" \"-\" 1.234000\n"));
    assert_int_equal(said, 0);
}

static void a_bad_request_is_logged(void **state)
{
    struct bench *b = *state;
    world_say(b->w, "\x1b[2J nonsense\r\n\r\n");
    world_connect(b->w, b->service->protocol, b->service->config);
    world_say(b->w, "nonsense \"here\r\n\r\n");
    end_worker(b);
    write_log(b);
    char *log = read_log(b);
    assert_non_null(strstr(log, "\"-\" 400 "));
    assert_non_null(strstr(log, "\"nonsense \\x22here\" 400 "));
    assert_null(strchr(log, '\x1b'));
}

static void open_with_log(struct bench *b, const char *log)
{
    struct site_options options = {.root = b->root, .account.logs.access = log};
    end_worker(b);
    site_close(b->site);
    assert_int_equal(site_open(&options, &b->site), 0);
    b->service = site_service(b->site);
    assert_int_equal(b->service->worker_start(&b->w->driver, b->service->arg), 0);
    world_connect(b->w, b->service->protocol, b->service->config);
}

static void a_full_ring_is_counted(void **state)
{
    struct bench *b = *state;
    char fields[1100];
    memset(fields, 'a', 1024);
    memcpy(fields, "User-Agent: ", 12);
    strcpy(fields + 1020, "\r\n");
    for (int i = 0; i < 4000; i++)
        ask(b, "GET", "/digits.txt", fields);
    const struct local *local = b->w->driver.local;
    const struct log_rings *rings = local->account.logs.logs->access.rings;
    uint64_t lost = log_lost(rings);
    assert_in_range(lost, 1000, 3000);
    end_worker(b);
    write_log(b);
    assert_int_equal(said, 1);
    unsigned lines = 0;
    for (const char *at = read_log(b); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines + lost, 4000);
}

static void a_full_disk_stops_nothing(void **state)
{
    struct bench *b = *state;
    open_with_log(b, "/dev/full");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(status_of(ask(b, "GET", "/digits.txt", "")), 200);
    const struct log_rings *rings =
        ((struct local *)b->w->driver.local)->account.logs.logs->access.rings;
    end_worker(b);
    write_log(b);
    assert_int_equal(log_lost(rings), 1000);
    assert_int_equal(said, 2); /* that it cannot, and how many were lost */
}

static void a_log_reader_that_stops_blocks_nobody(void **state)
{
    struct bench *b = *state;
    char fifo[128];
    snprintf(fifo, sizeof(fifo), "%s/fifo", b->dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct site *site = NULL;
    struct site_options options = {.root = b->root, .account.logs.access = fifo};
    assert_int_equal(site_open(&options, &site), -ENXIO); /* nobody reads it */
    int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    open_with_log(b, fifo);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(status_of(ask(b, "GET", "/digits.txt", "")), 200);
    const struct log_rings *rings =
        ((struct local *)b->w->driver.local)->account.logs.logs->access.rings;
    end_worker(b);
    write_log(b);
    assert_in_range(log_lost(rings), 1, 3000);
    assert_in_range(said, 1, 2);
    char text[4097] = {0};
    assert_int_equal(read(reader, text, 4096) > 0, 1);
    assert_memory_equal(text, "2001:db8::1 - - [", 17);
    close(reader);
}

static struct weir_address ends_of[2]; /* peer, local */

static void say_ends(struct weir_driver *driver, struct weir_conn *conn,
                     struct weir_address *out_peer, struct weir_address *out_local)
{
    (void)driver;
    (void)conn;
    *out_peer = ends_of[0];
    *out_local = ends_of[1];
}

static void figures_are_for_this_machine(void **state)
{
    struct bench *b = *state;
    static const char *const who[] = {"192.0.2.0/25", "2001:db8::/32"};
    struct weir_driver_ops ops = *b->w->driver.ops;
    struct site_options options = {.root = b->root,
                                   .account = {.status = "/status", .allow = {who, 2}}};
    end_worker(b);
    site_close(b->site);
    assert_int_equal(site_open(&options, &b->site), 0);
    b->service = site_service(b->site);
    assert_int_equal(b->service->beside_count, 0); /* no log, no process for it */
    assert_int_equal(b->service->worker_start(&b->w->driver, b->service->arg), 0);
    world_connect(b->w, b->service->protocol, b->service->config);
    assert_int_equal(status_of(ask(b, "GET", "/status", "")), 403); /* it cannot be told who asks */
    const struct {
        struct weir_address peer, local;
        int status;
    } rows[] = {
        {{.family = WEIR_FAMILY_NONE}, {0}, 403},
        {{.family = WEIR_FAMILY_UNIX}, {0}, 200},
        {{.family = WEIR_FAMILY_IP4, .ip = {127, 9, 9, 9}}, {0}, 200},
        {{.family = WEIR_FAMILY_IP4, .ip = {198, 51, 100, 1}}, {0}, 403},
        {{.family = WEIR_FAMILY_IP4, .ip = {198, 51, 100, 1}},
         {.family = WEIR_FAMILY_IP4, .ip = {198, 51, 100, 1}},
         200},
        {{.family = WEIR_FAMILY_IP4, .ip = {198, 51, 100, 1}},
         {.family = WEIR_FAMILY_IP4, .ip = {198, 51, 100, 2}},
         403},
        {{.family = WEIR_FAMILY_IP4, .ip = {192, 0, 2, 127}}, {0}, 200},
        {{.family = WEIR_FAMILY_IP4, .ip = {192, 0, 2, 128}}, {0}, 403},
        {{.family = WEIR_FAMILY_IP6, .ip = {[15] = 1}}, {0}, 200},
        {{.family = WEIR_FAMILY_IP6, .ip = {0x20, 1, 0x0d, 0xb8, 7}}, {0}, 200},
        {{.family = WEIR_FAMILY_IP6, .ip = {0x20, 1, 0x0d, 0xb9}}, {0}, 403},
        {{.family = WEIR_FAMILY_IP6, .ip = {192, 0, 2, 1}}, {0}, 403},
    };
    ops.ends = say_ends;
    b->w->driver.ops = &ops;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ends_of[0] = rows[i].peer;
        ends_of[1] = rows[i].local;
        assert_int_equal(status_of(ask(b, "GET", "/status/metrics", "")), rows[i].status);
    }
    end_worker(b);
}

static void faults_of_the_options(void **state)
{
    struct bench *b = *state;
    struct site *site = NULL;
    char missing[128];
    snprintf(missing, sizeof(missing), "%s/none/log", b->dir);
    assert_int_equal(site_open(&(struct site_options){.root = missing}, &site), -ENOENT);
    assert_int_equal(site_open(&(struct site_options){.root = path_in(b, "digits.txt")}, &site),
                     -ENOTDIR);
    assert_int_equal(
        site_open(&(struct site_options){.root = b->root, .account.logs.access = missing}, &site),
        -ENOENT);
    assert_null(site);
    const struct weir_service *service;
    assert_int_equal(weir_files_open(b->root, NULL, &service), 0);
    weir_files_close(service);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* drivers block it */
    const struct CMUnitTest tests[] = {
        TEST(files_are_served),
        TEST(nothing_outside_or_hidden_comes_out),
        TEST(a_folder_gets_its_slash),
        TEST(methods),
        TEST(conditions_and_ranges),
        TEST(large_files_go_out_as_files),
        TEST(a_file_that_shrinks_ends_the_connection),
        TEST(changes_are_seen_within_a_second),
        TEST(what_is_fresh_is_not_kept),
        TEST(renames_open_no_way_out),
        TEST(the_log),
        TEST(a_bad_request_is_logged),
        TEST(a_full_ring_is_counted),
        TEST(a_full_disk_stops_nothing),
        TEST(a_log_reader_that_stops_blocks_nobody),
        TEST(figures_are_for_this_machine),
        TEST(faults_of_the_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
