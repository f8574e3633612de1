/* The local authority, as text: what it signs, for whom it may, and what is made of text that is not its own. */
#include "tls/authority.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400ll
#define NOW (1800000000ll)

static struct pem authority_for(const char *host)
{
    struct pem pem;
    assert_int_equal(authority_make("weir local authority of a test", host, NOW, &pem), 0);
    return pem;
}

static X509 *cert_of(const struct pem *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->at, (int)pem->len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

/* What a browser does: X509_V_OK or why not. */
static int judge(const struct pem *authority, const struct pem *pem, const char *name, int64_t at_s)
{
    X509 *root = cert_of(authority), *cert = cert_of(pem);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *wish;
    X509_STORE_add_cert(store, root);
    X509_STORE_CTX_init(ctx, store, cert, NULL);
    wish = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(wish, at_s);
    X509_VERIFY_PARAM_set_flags(wish, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_purpose(wish, X509_PURPOSE_SSL_SERVER);
    if (X509_VERIFY_PARAM_set1_ip_asc(wish, name) != 1)
        X509_VERIFY_PARAM_set1_host(wish, name, 0);
    int rc = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(root);
    X509_free(cert);
    return rc;
}

static void it_signs_for_this_machine(void **state)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1", "work.example"};
    struct pem authority = authority_for("work.example"), pem;
    (void)state;
    assert_int_equal(authority_sign(&authority, "work.example", NOW, NOW + 30 * DAY, &pem), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(judge(&authority, &pem, names[i], NOW + DAY), X509_V_OK);
    assert_int_equal(judge(&authority, &pem, "example.org", NOW + DAY),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(judge(&authority, &pem, "localhost", NOW + 31 * DAY),
                     X509_V_ERR_CERT_HAS_EXPIRED);
    assert_true(authority_knows(&authority, &pem, "work.example", NOW, NOW + 20 * DAY));
    assert_false(authority_knows(&authority, &pem, "work.example", NOW, NOW + 40 * DAY));
    pem_free(&pem);
    pem_free(&authority);
}

/* Its key in wrong hands: a certificate for somebody else is not believed, whatever it says. */
static void its_key_signs_for_nobody_else(void **state)
{
    struct pem authority = authority_for(NULL), pem;
    char *bytes;
    (void)state;
    BIO *bio = BIO_new_mem_buf(authority.at, (int)authority.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_int_equal(authority_sign(&authority, NULL, NOW, NOW + 30 * DAY, &pem), 0);
    X509 *forged = cert_of(&pem);
    pem_free(&pem);
    X509_EXTENSION_free(
        X509_delete_ext(forged, X509_get_ext_by_NID(forged, NID_subject_alt_name, -1)));
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:bank.example");
    X509_add_ext(forged, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(forged, key, EVP_sha256()) > 0);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, forged);
    pem.len = (size_t)BIO_get_mem_data(bio, &bytes);
    pem.at = strndup(bytes, pem.len);
    BIO_free(bio);
    assert_int_equal(judge(&authority, &pem, "bank.example", NOW + DAY),
                     X509_V_ERR_PERMITTED_VIOLATION);
    X509_free(forged);
    EVP_PKEY_free(key);
    pem_free(&pem);
    pem_free(&authority);
}

static void a_new_name_of_the_machine_is_left_out(void **state)
{
    struct pem authority = authority_for("old.example"), pem;
    (void)state;
    assert_int_equal(authority_sign(&authority, "new.example", NOW, NOW + 30 * DAY, &pem), 0);
    assert_int_equal(judge(&authority, &pem, "localhost", NOW + DAY), X509_V_OK);
    assert_int_equal(judge(&authority, &pem, "new.example", NOW + DAY),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    assert_true(authority_knows(&authority, &pem, "new.example", NOW, NOW + 20 * DAY));
    assert_false(authority_knows(&authority, &pem, "old.example", NOW, NOW + 20 * DAY));
    pem_free(&pem);
    pem_free(&authority);
}

static void it_can_sign_for_ten_years(void **state)
{
    struct pem authority = authority_for(NULL), shown;
    (void)state;
    assert_true(authority_can_sign(&authority, NOW + 3600 * DAY));
    assert_false(authority_can_sign(&authority, NOW + 3700 * DAY));
    assert_false(authority_is_trusted(&authority));
    assert_int_equal(authority_public(&authority, &shown), 0);
    assert_null(strstr(shown.at, "PRIVATE"));
    assert_non_null(strstr(shown.at, "-----END CERTIFICATE-----"));
    assert_false(authority_can_sign(&shown, NOW)); /* it has no key */
    pem_free(&shown);
    pem_free(&authority);
}

/* Half-written files, others' files: each cut is refused, and nothing else happens. */
static void text_that_is_cut_is_refused(void **state)
{
    struct pem authority = authority_for(NULL), pem, out;
    (void)state;
    assert_int_equal(authority_sign(&authority, NULL, NOW, NOW + 30 * DAY, &pem), 0);
    for (size_t len = 0; len + 2 < authority.len; len += 3) {
        struct pem cut = {authority.at, len};
        assert_false(authority_can_sign(&cut, NOW));
        assert_int_equal(authority_sign(&cut, NULL, NOW, NOW + DAY, &out), -EINVAL);
    }
    for (size_t len = 0; len + 2 < pem.len; len += 3) {
        struct pem cut = {pem.at, len};
        assert_false(authority_knows(&authority, &cut, NULL, NOW, NOW));
    }
    /* What it signed is no authority, and another authority's work is not its own. */
    assert_false(authority_can_sign(&pem, NOW));
    struct pem other = authority_for(NULL);
    assert_false(authority_knows(&other, &pem, NULL, NOW, NOW));
    pem_free(&other);
    pem_free(&pem);
    pem_free(&authority);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_signs_for_this_machine),
        cmocka_unit_test(its_key_signs_for_nobody_else),
        cmocka_unit_test(a_new_name_of_the_machine_is_left_out),
        cmocka_unit_test(it_can_sign_for_ten_years),
        cmocka_unit_test(text_that_is_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
