/* Keys in a process of their own: what it signs, what it refuses, and what becomes of those who ask when it dies. */
#include "keys/impl.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { K_RSA, K_EC, K_ED, FILES };

static char folder[] = "/tmp/weir-keys-XXXXXX";
static char path[FILES][64];
static EVP_PKEY *public[FILES];
static struct keys *keys;
static int stop[2], inside; /* the door's end that whoever asks closes: a supervisor never asks */
static pid_t pid;

static EVP_PKEY *make(unsigned kind)
{
    return kind == K_RSA  ? EVP_RSA_gen(2048)
           : kind == K_EC ? EVP_EC_gen("P-256")
                          : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* A new key in its file, in one step. */
static void write_key(unsigned kind)
{
    char next[80];
    EVP_PKEY *key = make(kind);
    unsigned char *der = NULL;
    snprintf(next, sizeof(next), "%s.new", path[kind]);
    FILE *to = fopen(next, "w");
    assert_non_null(to);
    PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL);
    fclose(to);
    assert_int_equal(rename(next, path[kind]), 0);
    int len = i2d_PUBKEY(key, &der);
    const unsigned char *at = der;
    EVP_PKEY_free(public[kind]);
    public[kind] = d2i_PUBKEY(NULL, &at, len);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

static void ignore(void *arg, const char *text)
{
    (void)arg, (void)text;
}

static void start(void)
{
    assert_int_equal(pipe(stop), 0);
    pid = fork();
    if (pid == 0) {
        close(stop[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        keys->door.inside = inside;
        exit(keys_run(keys, stop[0], ignore, NULL) < 0);
    }
    close(stop[0]);
}

static int end(void)
{
    int status;
    close(stop[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void kill_it(void)
{
    kill(pid, SIGKILL);
    end();
}

static int make_all(void **state)
{
    const char *names[FILES] = {path[0], path[1], path[2]};
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/%u.key", folder, i);
        write_key(i);
    }
    if (keys_new(names, FILES, &keys) < 0)
        return -1;
    inside = dup(keys->door.inside);
    start();
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    int status = end();
    keys_free(keys);
    close(inside);
    for (unsigned i = 0; i < FILES; i++) {
        EVP_PKEY_free(public[i]);
        unlink(path[i]);
    }
    rmdir(folder);
    return status;
}

/* What TLS signs; 98 bytes and a digest. */
static const uint8_t *verify_text(size_t *len)
{
    static uint8_t text[64 + 34 + 48];
    memset(text, ' ', 64);
    memcpy(text + 64, "TLS 1.3, server CertificateVerify", 34);
    *len = 64 + 34 + 32;
    return text;
}

static bool sign(EVP_PKEY *key, const char *digest, bool pss, const uint8_t *text, size_t len,
                 uint8_t *to, size_t *out_len)
{
    EVP_PKEY_CTX *ctx;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = EVP_DigestSignInit_ex(md, &ctx, digest, NULL, NULL, key, NULL) == 1;
    if (ok && pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestSign(md, NULL, out_len, text, len) == 1 &&
         EVP_DigestSign(md, to, out_len, text, len) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

static bool verifies(EVP_PKEY *key, const char *digest, bool pss, const uint8_t *text, size_t len,
                     const uint8_t *signature, size_t signature_len)
{
    EVP_PKEY_CTX *ctx;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit_ex(md, &ctx, digest, NULL, NULL, key, NULL) == 1;
    if (ok && pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(md, signature, signature_len, text, len) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

static bool works(unsigned kind, const char *digest, bool pss)
{
    size_t len, made = 0;
    uint8_t signature[LIMIT_KEYS_SIGNATURE];
    const uint8_t *text = verify_text(&len);
    EVP_PKEY *key = keys_remote(keys, public[kind]);
    assert_non_null(key);
    bool ok = sign(key, digest, pss, text, len, signature, &made) &&
              verifies(public[kind], digest, pss, text, len, signature, made);
    EVP_PKEY_free(key);
    return ok;
}

static void it_signs(void **state)
{
    static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(works(K_RSA, digests[i], true));
        assert_true(works(K_RSA, digests[i], false));
        assert_true(works(K_EC, digests[i], false));
    }
    assert_true(works(K_ED, NULL, false));
    for (unsigned i = 0; i < FILES; i++)
        assert_int_equal(keys_have(keys, public[i]), 1);
}

/* OpenSSL takes it for the certificate's key, and finds no other way to sign with it. */
static void it_is_the_certificates(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FILES; i++) {
        EVP_PKEY *key = keys_remote(keys, public[i]);
        X509 *cert = X509_new();
        assert_int_equal(X509_set_pubkey(cert, public[i]), 1);
        assert_int_equal(X509_check_private_key(cert, key), 1);
        assert_int_equal(X509_set_pubkey(cert, public[(i + 1) % FILES]), 1);
        assert_int_equal(X509_check_private_key(cert, key), 0);
        assert_int_equal(EVP_PKEY_get_bits(key), EVP_PKEY_get_bits(public[i]));
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    EVP_PKEY *stranger = EVP_EC_gen("P-256");
    EVP_PKEY *key = keys_remote(keys, stranger);
    size_t len, made;
    uint8_t signature[LIMIT_KEYS_SIGNATURE];
    const uint8_t *text = verify_text(&len);
    assert_false(sign(key, "SHA256", false, text, len, signature, &made));
    assert_int_equal(keys_have(keys, stranger), 0);
    EVP_PKEY_free(key);
    EVP_PKEY_free(stranger);
}

/* It is no oracle: only what a server says in a handshake. */
static void nothing_else_is_signed(void **state)
{
    (void)state;
    size_t len, made;
    uint8_t signature[LIMIT_KEYS_SIGNATURE], other[LIMIT_KEYS_TEXT + 1] = {0};
    EVP_PKEY *key = keys_remote(keys, public[K_EC]);
    const uint8_t *text = verify_text(&len);
    memcpy(other, text, len);
    assert_true(sign(key, "SHA256", false, other, len, signature, &made));
    assert_false(sign(key, "SHA256", false, other, len - 1, signature, &made));
    assert_false(sign(key, "SHA256", false, other, sizeof(other), signature, &made));
    other[70] ^= 1;
    assert_false(sign(key, "SHA256", false, other, len, signature, &made));
    memset(other, 0, sizeof(other));
    other[64] = 3; /* TLS 1.2: randoms, a named curve, a point */
    other[66] = 29;
    other[67] = 32;
    assert_true(sign(key, "SHA256", false, other, 100, signature, &made));
    assert_false(sign(key, "SHA256", false, other, 101, signature, &made));
    other[64] = 1;
    assert_false(sign(key, "SHA256", false, other, 100, signature, &made));
    EVP_PKEY_free(key);
}

static void malformed_requests_cut_the_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct keys_request request;
        struct keys_reply reply;
        uint8_t *bytes = (uint8_t *)&request;
        srand(i);
        for (size_t k = 0; k < sizeof(request); k++)
            bytes[k] = (uint8_t)rand();
        request.what = (uint8_t)(i % 5);
        request.len = i % 7 ? i : 100000;
        if (request.len > LIMIT_KEYS_TEXT)
            request.len = LIMIT_KEYS_TEXT;
        int rc = keys_ask(keys, &request, &reply);
        assert_true(rc <= 0);
    }
    assert_true(works(K_EC, "SHA256", false));
}

static void it_may_die(void **state)
{
    (void)state;
    assert_true(works(K_EC, "SHA256", false)); /* a way that is kept */
    assert_true(works(K_EC, "SHA256", false));
    kill_it();
    time_t began = time(NULL);
    assert_false(works(K_EC, "SHA256", false)); /* nobody is there */
    assert_true(time(NULL) - began <= LIMIT_KEYS_MS / 1000 + 3);
    start();
    assert_true(works(K_EC, "SHA256", false));
    kill_it();
    pid_t asker = fork();
    if (asker == 0)
        _exit(!works(K_RSA, "SHA256", true)); /* it waits at the door */
    usleep(300000);
    start();
    int status;
    assert_int_equal(waitpid(asker, &status, 0), asker);
    assert_int_equal(status, 0);
}

static void children_have_ways_of_their_own(void **state)
{
    pid_t child[8];
    int status;
    (void)state;
    assert_true(works(K_EC, "SHA256", false));
    for (unsigned i = 0; i < 8; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            bool ok = true;
            for (unsigned k = 0; k < 50; k++)
                ok &= works(i % 2 ? K_EC : K_ED, i % 2 ? "SHA256" : NULL, false);
            _exit(!ok);
        }
    }
    for (unsigned k = 0; k < 50; k++)
        assert_true(works(K_RSA, "SHA256", true));
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
}

static void a_changed_file_is_read_again(void **state)
{
    (void)state;
    EVP_PKEY *before = public[K_EC];
    public[K_EC] = NULL;
    usleep(1000 * LIMIT_KEYS_LOOK_MS);
    write_key(K_EC);
    assert_int_equal(keys_have(keys, public[K_EC]), 1);
    assert_true(works(K_EC, "SHA256", false));
    EVP_PKEY *after = public[K_EC];
    public[K_EC] = before; /* connections under way still show the old certificate */
    assert_true(works(K_EC, "SHA256", false));
    public[K_EC] = after;
    EVP_PKEY_free(before);
    usleep(1000 * LIMIT_KEYS_LOOK_MS);
    FILE *to = fopen(path[K_ED], "w");
    fputs("nonsense", to);
    fclose(to);
    EVP_PKEY *stranger = make(K_EC);
    assert_int_equal(keys_have(keys, stranger), 0); /* it looked, and kept what it had */
    assert_true(works(K_ED, NULL, false));
    EVP_PKEY_free(stranger);
}

static void keys_are_looked_at_from_outside(void **state)
{
    char why[200];
    (void)state;
    assert_int_equal(keys_check(keys, K_RSA, public[K_RSA], why, sizeof(why)), 0);
    assert_int_equal(keys_check(keys, K_RSA, public[K_EC], why, sizeof(why)), -EINVAL);
    assert_non_null(strstr(why, "not the certificate's"));
    assert_int_equal(unlink(path[K_RSA]), 0);
    assert_int_equal(keys_check(keys, K_RSA, public[K_RSA], why, sizeof(why)), -EINVAL);
    assert_non_null(strstr(why, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_signs),
        cmocka_unit_test(it_is_the_certificates),
        cmocka_unit_test(nothing_else_is_signed),
        cmocka_unit_test(malformed_requests_cut_the_way),
        cmocka_unit_test(it_may_die),
        cmocka_unit_test(children_have_ways_of_their_own),
        cmocka_unit_test(a_changed_file_is_read_again),
        cmocka_unit_test(keys_are_looked_at_from_outside),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
