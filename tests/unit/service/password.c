/* Password files, and what a client says of himself. */
#include "service/password.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "service/credentials.h"
#include "service/password_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "geheim", by crypt(3) of libxcrypt 4.4.33. */
static const char yescrypt[] =
    "$y$j9T$NGCspn8oW7y15P.r.XhrK.$pz.UzwKjGzSAXhjO8BqlY85/wL6lLtjNZskXl3iuPK8";
#define BCRYPT_REST "$PwEVGjnEyaeDNpWlnHWSQO4Ch0fybp0DkHLFJd5JxdWyY3MrQJHUu"

static int check(const char *hash)
{
    char why[300];
    return password_hash_check(bytes_str(hash), why, sizeof(why));
}

static void hashes_that_are_taken(void **state)
{
    char sha512[200];
    (void)state;
    assert_int_equal(check(yescrypt), 0);
    assert_int_equal(check("$2b$10" BCRYPT_REST), 0);
    assert_int_equal(check("$2y$05" BCRYPT_REST), 0);
    snprintf(sha512, sizeof(sha512), "$6$salt$%086d", 0);
    assert_int_equal(check(sha512), 0);
    snprintf(sha512, sizeof(sha512), "$6$rounds=500000$salt$%086d", 0);
    assert_int_equal(check(sha512), 0);
}

static void hashes_that_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "x",
        "$apr1$abc$0123456789012345678901",
        "{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=",
        "$5$salt$0",
        "$2b$14" BCRYPT_REST, /* seconds */
        "$2b$03" BCRYPT_REST,
        "$2x$10" BCRYPT_REST,
        "$2b$10$short",
        "$y$j9T$salt$short",
        "$y$jAT$NGCspn8oW7y15P.r.XhrK.",                                             /* no hash */
        "$y$jCT$NGCspn8oW7y15P.r.XhrK.$pz.UzwKjGzSAXhjO8BqlY85/wL6lLtjNZskXl3iuPK8", /* 128 MiB */
        "$y$jzz$NGCspn8oW7y15P.r.XhrK.$pz.UzwKjGzSAXhjO8BqlY85/wL6lLtjNZskXl3iuPK8",
        "$y$j9T$NGCspn8oW7y15P.r.XhrK.$pz.UzwKjGzSAXhjO8BqlY85/wL6lLtjNZskXl3iuPK!",
        "$y$",
        "$6$",
        "$6$rounds=",
        "$2b$",
    };
    char sha512[200];
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (check(wrong[i]) != -EINVAL)
            fail_msg("'%s' was taken for a hash", wrong[i]);
    snprintf(sha512, sizeof(sha512), "$6$rounds=500001$salt$%086d", 0);
    assert_int_equal(check(sha512), -EINVAL);
}

static struct passwords *read_text(const char *text)
{
    struct passwords *passwords;
    unsigned line;
    char why[300];
    assert_int_equal(passwords_read(text, strlen(text), &passwords, &line, why, sizeof(why)), 0);
    return passwords;
}

static void lines(void **state)
{
    char text[2000];
    (void)state;
    snprintf(text, sizeof(text), "# users\r\n\nbob:%s\r\nal:%s\nalice:%s", yescrypt, yescrypt,
             yescrypt);
    struct passwords *passwords = read_text(text);
    assert_int_equal(passwords->count, 3);
    assert_string_equal(passwords_find(passwords, BYTES("alice"))->hash, yescrypt);
    assert_string_equal(passwords_find(passwords, BYTES("al"))->hash, yescrypt);
    assert_string_equal(passwords_find(passwords, BYTES("bob"))->hash, yescrypt);
    assert_null(passwords_find(passwords, BYTES("ali")));
    assert_null(passwords_find(passwords, BYTES("")));
    assert_null(passwords_find(passwords, BYTES("bobb")));
    passwords_drop(passwords);
    passwords_drop(read_text(""));
    passwords_drop(NULL);
}

static void wrong_lines_are_named(void **state)
{
    static const struct {
        const char *format;
        unsigned line;
    } wrong[] = {
        {"a:%s\nb", 2}, {"\n:%s", 2}, {"a:%s\nb:%s\na:%s", 3}, {"a\tb:%s", 1}, {"a:%sx", 1}};
    struct passwords *passwords;
    char text[2000], why[300];
    unsigned line;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), wrong[i].format, yescrypt, yescrypt, yescrypt);
#pragma GCC diagnostic pop
        line = 0;
        assert_int_equal(passwords_read(text, strlen(text), &passwords, &line, why, sizeof(why)),
                         -EINVAL);
        assert_int_equal(line, wrong[i].line);
    }
}

static void comparing(void **state)
{
    (void)state;
    assert_true(password_matches("geheim", yescrypt));
    assert_false(password_matches("geheim ", yescrypt));
    assert_false(password_matches("", yescrypt));
    assert_true(password_matches("bcr", "$2b$10" BCRYPT_REST));
}

static void put(const char *name, const char *text)
{
    char other[300];
    snprintf(other, sizeof(other), "%s.new", name);
    int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(rename(other, name), 0);
}

static size_t count_at(struct password_file *file, uint64_t s, bool *out_news)
{
    struct password_news news;
    struct passwords *passwords = password_file_get(file, s * WEIR_NS_PER_S, &news);
    size_t count = passwords->count;
    *out_news = news.news;
    passwords_drop(passwords);
    return count;
}

static void a_changed_file_counts_unless_it_is_bad(void **state)
{
    char name[] = "/tmp/weir-password-XXXXXX", text[1000], why[300];
    struct password_file file;
    bool news;
    (void)state;
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    snprintf(text, sizeof(text), "a:%s\n", yescrypt);
    put(name, text);
    assert_int_equal(password_file_open(&file, name, why, sizeof(why)), 0);
    assert_int_equal(count_at(&file, 10, &news), 1);
    snprintf(text, sizeof(text), "a:%s\nb:%s\n", yescrypt, yescrypt);
    put(name, text);
    assert_int_equal(count_at(&file, 10, &news), 1); /* looked at a moment ago */
    assert_int_equal(count_at(&file, 12, &news), 2);
    assert_false(news);
    put(name, "nonsense\n");
    assert_int_equal(count_at(&file, 14, &news), 2);
    assert_true(news);
    assert_int_equal(count_at(&file, 16, &news), 2);
    assert_false(news); /* told once */
    unlink(name);
    assert_int_equal(count_at(&file, 18, &news), 2);
    assert_true(news);
    assert_int_equal(count_at(&file, 20, &news), 2);
    assert_false(news);
    snprintf(text, sizeof(text), "a:%s\n", yescrypt);
    put(name, text);
    assert_int_equal(count_at(&file, 22, &news), 1);
    assert_false(news);
    password_file_close(&file);
    unlink(name);
    assert_int_equal(password_file_open(&file, name, why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, name));
    password_file_close(&file);
}

static void base64(void **state)
{
    static const char *const good[][2] = {{"", ""},
                                          {"Zg==", "f"},
                                          {"Zm8=", "fo"},
                                          {"Zm9v", "foo"},
                                          {"Zm9vYg==", "foob"},
                                          {"Zm9vYmE=", "fooba"},
                                          {"Zm9vYmFy", "foobar"},
                                          {"+/+/", "\xfb\xff\xbf"}};
    static const char *const wrong[] = {"Z",    "Zg",   "Zg=",      "Zg===", "Zh==",   "Zm9=",
                                        "====", "Z===", "Zg==Zg==", "Zm-_",  "Zm9v\n", "=Zg="};
    char out[16];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ssize_t len = base64_read(bytes_str(good[i][0]), out, sizeof(out));
        assert_int_equal(len, (ssize_t)strlen(good[i][1]));
        assert_memory_equal(out, good[i][1], (size_t)len);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (base64_read(bytes_str(wrong[i]), out, sizeof(out)) != -EINVAL)
            fail_msg("'%s' was decoded", wrong[i]);
    assert_int_equal(base64_read(BYTES("Zm9vYmFy"), out, 5), -EMSGSIZE);
}

static void credentials(void **state)
{
    struct credentials said;
    char longer[1000] = "Basic ";
    (void)state;
    assert_int_equal(credentials_read(BYTES("Basic YWxpY2U6Z2VoZWlt"), &said), CREDENTIALS_GOOD);
    assert_true(bytes_equal(said.user, BYTES("alice")));
    assert_string_equal(said.password, "geheim");
    assert_int_equal(credentials_read(BYTES("bASIC  YTpiOmM="), &said), CREDENTIALS_GOOD);
    assert_string_equal(said.password, "b:c");
    assert_int_equal(credentials_read(BYTES("Basic YTo="), &said), CREDENTIALS_GOOD);
    assert_string_equal(said.password, "");
    assert_int_equal(credentials_read(BYTES("Bearer abc"), &said), CREDENTIALS_NONE);
    assert_int_equal(credentials_read(BYTES("Basicx"), &said), CREDENTIALS_NONE);
    assert_int_equal(credentials_read(BYTES(""), &said), CREDENTIALS_NONE);
    assert_int_equal(credentials_read(BYTES("Basic"), &said), CREDENTIALS_BAD);
    assert_int_equal(credentials_read(BYTES("Basic !!!!"), &said), CREDENTIALS_BAD);
    assert_int_equal(credentials_read(BYTES("Basic YWxpY2U="), &said),
                     CREDENTIALS_BAD);                                               /* no colon */
    assert_int_equal(credentials_read(BYTES("Basic OmI="), &said), CREDENTIALS_BAD); /* no name */
    assert_int_equal(credentials_read(BYTES("Basic YToACg=="), &said), CREDENTIALS_BAD); /* NUL */
    memset(longer + 6, 'A', 800);
    assert_int_equal(credentials_read((struct weir_bytes){longer, 806}, &said), CREDENTIALS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_that_are_taken),
        cmocka_unit_test(hashes_that_are_refused),
        cmocka_unit_test(lines),
        cmocka_unit_test(wrong_lines_are_named),
        cmocka_unit_test(comparing),
        cmocka_unit_test(a_changed_file_counts_unless_it_is_bad),
        cmocka_unit_test(base64),
        cmocka_unit_test(credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
