#include "service/form.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <weir/routes.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL   "application/x-www-form-urlencoded"
#define PART  "Content-Disposition: form-data; name=\"a\"\r\n\r\n"
#define MULTI "multipart/form-data; boundary=cut"

struct source {
    const char *at;
    size_t left, piece;
};

static ssize_t give(void *arg, void *buffer, size_t len)
{
    struct source *source = arg;
    size_t n = source->left < source->piece ? source->left : source->piece;
    n = n < len ? n : len;
    memcpy(buffer, source->at, n);
    source->at += n;
    source->left -= n;
    return (ssize_t)n;
}

/* "name=value;" of each part, and the error's number. */
static const char *read_in(const char *type, const char *bytes, size_t len, size_t piece)
{
    static char text[4096];
    static struct form form;
    struct source source = {bytes, len, piece};
    struct weir_form_part part;
    size_t at = 0;
    int rc = form_init(&form, bytes_str(type), give, &source);
    text[0] = '\0';
    while (rc == 0 && (rc = form_next(&form, &part)) > 0) {
        ssize_t n;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s=", part.name,
                               part.filename ? "@" : "", part.filename ? part.filename : "");
        while ((n = form_read(&form, text + at, piece < 100 ? piece : 100)) > 0)
            at += (size_t)n;
        rc = (int)n;
        text[at++] = ';';
        text[at] = '\0';
    }
    if (rc < 0)
        snprintf(text + at, sizeof(text) - at, "%s", strerrorname_np(-rc));
    return text;
}

static void expect(const char *type, const char *bytes, const char *expected)
{
    assert_string_equal(read_in(type, bytes, strlen(bytes), 1000), expected);
    assert_string_equal(read_in(type, bytes, strlen(bytes), 1), expected);
    assert_string_equal(read_in(type, bytes, strlen(bytes), 3), expected);
}

static void pairs(void **state)
{
    (void)state;
    expect(URL, "", "");
    expect(URL, "&&", "");
    expect(URL, "a=1&b=x+y%21&&c&d=", "a=1;b=x y!;c=;d=;");
    expect(URL "; charset=utf-8", "%61%3d=%26%3D=", "a==&==;");
    expect("APPLICATION/X-www-form-urlencoded", "=1", "=1;");
    expect(URL, "a=%zz", "a=;EPROTO");
    expect(URL, "a=1%4", "a=1;EPROTO");
    expect(URL, "a%00=1", "EPROTO");
    expect("text/plain", "a=1", "EOPNOTSUPP");
    expect("", "a=1", "EOPNOTSUPP");
}

static void parts(void **state)
{
    (void)state;
    expect(MULTI, "--cut\r\n" PART "1\r\n--cut--\r\n", "a=1;");
    expect(MULTI, "--cut\r\n" PART "\r\n--cut--", "a=;");
    expect(MULTI,
           "hello\r\n--cut \t\r\n" PART "1\r\n2\r\n--cu\r\n\r\n--cut\r\n" PART "\r\n--cut--x",
           "a=1\r\n2\r\n--cu\r\n;a=;");
    expect(MULTI, "--cut--", "");
    expect(
        "multipart/form-data; x=\";\"; boundary=\"a b\"",
        "--a b\r\ncontent-disposition:form-data;name=n;filename=\"C:\\a \\\"q\\\".txt\"\r\n\r\n1\r\n--a b--",
        "n@C:\\a \"q\".txt=1;");
    expect(MULTI, "--cut\r\nX: y\r\n" PART "1\r\n--cut--", "a=1;");
}

static void malformed_parts(void **state)
{
    (void)state;
    expect(MULTI, "", "EPROTO");
    expect(MULTI, "--cut", "EPROTO");
    expect(MULTI, "--cut\r\n", "EPROTO");
    expect(MULTI, "--cut\n" PART "1\n--cut--", "EPROTO");
    expect(MULTI, "--cut\r\n\r\n1\r\n--cut--", "EPROTO");
    expect(MULTI, "--cutter\r\n" PART "1\r\n--cut--", "EPROTO");
    expect(MULTI, "--cut\r\nContent-Disposition: form-data\r\n\r\n1\r\n--cut--", "EPROTO");
    expect(MULTI, "--cut\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--cut--",
           "EPROTO");
    expect(MULTI, "--cut\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--cut--",
           "EPROTO");
    expect(MULTI, "--cut\r\nContent-Disposition: form-data; name=a\r\n" PART "1\r\n--cut--",
           "EPROTO");
    expect(MULTI, "--cut\r\nContent-Disposition: form-data; name=\"a\tb\"\r\n\r\n1\r\n--cut--",
           "EPROTO");
    expect(MULTI, "--cut\r\nno colon\r\n" PART "1\r\n--cut--", "EPROTO");
    expect("multipart/form-data", "--cut--", "EPROTO");
    expect("multipart/form-data; boundary=", "--cut--", "EPROTO");
    expect("multipart/form-data; boundary=\"\"", "----", "EPROTO");
    expect("multipart/form-data; boundary=a; boundary=b", "--a--", "EPROTO");
    expect(
        "multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678"
        "9012345678901",
        "", "EPROTO");
    assert_string_equal(read_in(MULTI, "--cut\r\n" PART "12345", 7 + sizeof(PART) - 1 + 5, 1000),
                        "a=;EPROTO");
}

static void limits(void **state)
{
    enum { SIZE = 100000 };
    char *bytes = malloc(SIZE);
    (void)state;
    memset(bytes, 'n', SIZE);
    assert_string_equal(read_in(URL, bytes, SIZE, 1000), "EMSGSIZE");
    bytes[LIMIT_FORM_HEAD + 1] = '=';
    assert_string_equal(read_in(URL, bytes, SIZE, 1000), "EMSGSIZE");
    memset(bytes, 'n', SIZE);
    assert_string_equal(read_in(MULTI, bytes, SIZE, 1000), "EMSGSIZE");
    memcpy(bytes, "--cut\r\nX: ", 10);
    assert_string_equal(read_in(MULTI, bytes, SIZE, 1000), "EMSGSIZE");
    for (size_t i = 0; i + 1 < SIZE; i += 2)
        memcpy(bytes + i, "a&", 2);
    const char *read = read_in(URL, bytes, 2 * LIMIT_FORM_PARTS, 1000);
    assert_null(strstr(read, "EMSGSIZE"));
    read = read_in(URL, bytes, 2 * LIMIT_FORM_PARTS + 2, 1000);
    assert_non_null(strstr(read, "EMSGSIZE"));
    free(bytes);
}

static void decoding(void **state)
{
    char out[16];
    (void)state;
    assert_int_equal(form_decode(BYTES("a+b%20c"), out), 5);
    assert_memory_equal(out, "a b c", 5);
    assert_int_equal(form_decode(BYTES("%"), out), -EPROTO);
    assert_int_equal(form_decode(BYTES("%f"), out), -EPROTO);
    assert_int_equal(form_decode(BYTES("%Ff"), out), 1);
    assert_int_equal(form_decode(BYTES(""), out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs),  cmocka_unit_test(parts),    cmocka_unit_test(malformed_parts),
        cmocka_unit_test(limits), cmocka_unit_test(decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
