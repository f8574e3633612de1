#include "tls/authority.h"

#include "tbl/limits.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EARLIER_S 3600 /* clocks of browsers and of this machine may differ */

/* A key and its certificate. */
struct identity {
    EVP_PKEY *key;
    X509 *cert;
};

static void identity_done(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
    ERR_clear_error();
}

/* --- text --- */

void pem_free(struct pem *pem)
{
    if (pem->at)
        OPENSSL_cleanse(pem->at, pem->len);
    free(pem->at);
    *pem = (struct pem){NULL, 0};
}

static int take_text(BIO *bio, struct pem *out)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *at = len > 0 ? malloc((size_t)len + 1) : NULL;
    if (!at)
        return -ENOMEM;
    memcpy(at, bytes, (size_t)len);
    at[len] = '\0';
    *out = (struct pem){at, (size_t)len};
    return 0;
}

/* The key is left out if there is none. */
static int write_text(const struct identity *id, struct pem *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool ok =
        bio && (!id->key || PEM_write_bio_PrivateKey(bio, id->key, NULL, NULL, 0, NULL, NULL) == 1);
    ok = ok && PEM_write_bio_X509(bio, id->cert) == 1;
    int rc = ok ? take_text(bio, out) : -ENOMEM;
    BIO_free(bio);
    return rc;
}

/* 0 and *out; -EINVAL and nothing is held. */
static int read_text(const struct pem *pem, struct identity *out)
{
    BIO *bio = pem->at ? BIO_new_mem_buf(pem->at, (int)pem->len) : NULL;
    struct identity id = {NULL, NULL};
    if (bio) {
        id.key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        id.cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    if (!id.key || !id.cert || X509_check_private_key(id.cert, id.key) != 1) {
        identity_done(&id);
        return -EINVAL;
    }
    *out = id;
    return 0;
}

/* --- making --- */

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool set_serial(X509 *cert)
{
    uint8_t bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) |
                         0x40); /* positive, and of this length (RFC 5280 section 4.1.2.2) */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return ok;
}

static bool set_times(X509 *cert, int64_t from_s, int64_t until_s)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), from_s) &&
           ASN1_TIME_set(X509_getm_notAfter(cert), until_s);
}

/* All but extensions and signature. The name is what people see in lists. */
static bool begin(struct identity *id, const char *name, int64_t now_s, int64_t until_s)
{
    id->key = EVP_EC_gen("P-256");
    id->cert = X509_new();
    if (!id->key || !id->cert)
        return false;
    X509_NAME *subject = X509_get_subject_name(id->cert);
    return X509_set_version(id->cert, X509_VERSION_3) == 1 && set_serial(id->cert) &&
           set_times(id->cert, now_s - EARLIER_S, until_s) &&
           X509_set_pubkey(id->cert, id->key) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const uint8_t *)"weir", -1, -1,
                                      0) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1,
                                      0) == 1;
}

static bool constrain(X509 *cert, const char *host)
{
    char value[512];
    snprintf(value, sizeof(value),
             "critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,"
             "permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%s%.253s",
             host ? ",permitted;DNS:" : "", host ? host : "");
    return add_extension(cert, cert, NID_name_constraints, value);
}

int authority_make(const char *name, const char *host, int64_t now_s, struct pem *out)
{
    struct identity id = {NULL, NULL};
    bool ok = begin(&id, name, now_s, now_s + LIMIT_AUTHORITY_S);
    ok = ok && X509_set_issuer_name(id.cert, X509_get_subject_name(id.cert)) == 1;
    ok = ok && add_extension(id.cert, id.cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    ok = ok && add_extension(id.cert, id.cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    ok = ok && add_extension(id.cert, id.cert, NID_ext_key_usage, "serverAuth");
    ok = ok && add_extension(id.cert, id.cert, NID_subject_key_identifier, "hash");
    ok = ok && constrain(id.cert, host) && X509_sign(id.cert, id.key, EVP_sha256()) > 0;
    int rc = ok ? write_text(&id, out) : -EIO;
    identity_done(&id);
    return rc;
}

static bool add_names(X509 *cert, X509 *issuer, const char *host)
{
    char value[400];
    snprintf(value, sizeof(value), "DNS:localhost,IP:127.0.0.1,IP:::1%s%.253s", host ? ",DNS:" : "",
             host ? host : "");
    return add_extension(cert, issuer, NID_subject_alt_name, value);
}

/* A name, or what is under it (RFC 5280 section 4.2.1.10). */
static bool covers(const ASN1_STRING *base, const char *host)
{
    size_t len = (size_t)ASN1_STRING_length(base), host_len = strlen(host);
    const char *at = (const char *)ASN1_STRING_get0_data(base);
    return len <= host_len && memcmp(host + host_len - len, at, len) == 0 &&
           (len == host_len || host[host_len - len - 1] == '.');
}

static bool may_sign_for(const X509 *authority, const char *host)
{
    bool may = false;
    NAME_CONSTRAINTS *all = X509_get_ext_d2i(authority, NID_name_constraints, NULL, NULL);
    int count = all ? sk_GENERAL_SUBTREE_num(all->permittedSubtrees) : 0;
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(all->permittedSubtrees, i)->base;
        may |= base->type == GEN_DNS && covers(base->d.dNSName, host);
    }
    NAME_CONSTRAINTS_free(all);
    return may;
}

int authority_sign(const struct pem *authority, const char *host, int64_t now_s, int64_t until_s,
                   struct pem *out)
{
    struct identity by, id = {NULL, NULL};
    int rc = read_text(authority, &by);
    if (rc < 0)
        return rc;
    if (host && !may_sign_for(by.cert, host))
        host = NULL;
    bool ok = begin(&id, "localhost", now_s, until_s);
    ok = ok && X509_set_issuer_name(id.cert, X509_get_subject_name(by.cert)) == 1;
    ok = ok && add_extension(id.cert, by.cert, NID_basic_constraints, "critical,CA:FALSE");
    ok = ok && add_extension(id.cert, by.cert, NID_key_usage, "critical,digitalSignature");
    ok = ok && add_extension(id.cert, by.cert, NID_ext_key_usage, "serverAuth");
    ok = ok && add_extension(id.cert, by.cert, NID_authority_key_identifier, "keyid:always");
    ok = ok && add_names(id.cert, by.cert, host) && X509_sign(id.cert, by.key, EVP_sha256()) > 0;
    rc = ok ? write_text(&id, out) : -EIO;
    identity_done(&by);
    identity_done(&id);
    return rc;
}

/* --- looking --- */

static bool is_good_until(const X509 *cert, int64_t until_s)
{
    time_t at = until_s;
    return X509_cmp_time(X509_get0_notAfter(cert), &at) > 0;
}

bool authority_can_sign(const struct pem *authority, int64_t until_s)
{
    struct identity id;
    if (read_text(authority, &id) < 0)
        return false;
    bool can = X509_check_ca(id.cert) == 1 && is_good_until(id.cert, until_s) &&
               may_sign_for(id.cert, "localhost");
    identity_done(&id);
    return can;
}

int authority_public(const struct pem *authority, struct pem *out)
{
    struct identity id;
    int rc = read_text(authority, &id);
    if (rc < 0)
        return rc;
    const struct identity shown = {NULL, id.cert};
    rc = write_text(&shown, out);
    identity_done(&id);
    return rc;
}

static bool has_names(X509 *cert, const char *host)
{
    return X509_check_host(cert, "localhost", 0, 0, NULL) == 1 &&
           X509_check_ip_asc(cert, "127.0.0.1", 0) == 1 && X509_check_ip_asc(cert, "::1", 0) == 1 &&
           (!host || X509_check_host(cert, host, 0, 0, NULL) == 1);
}

bool authority_knows(const struct pem *authority, const struct pem *signed_one, const char *host,
                     int64_t now_s, int64_t until_s)
{
    struct identity by, id = {NULL, NULL};
    time_t now = now_s;
    if (read_text(authority, &by) < 0)
        return false;
    if (host && !may_sign_for(by.cert, host))
        host = NULL;
    bool ok = read_text(signed_one, &id) == 0 && X509_verify(id.cert, by.key) == 1 &&
              X509_check_issued(by.cert, id.cert) == X509_V_OK && is_good_until(id.cert, until_s) &&
              X509_cmp_time(X509_get0_notBefore(id.cert), &now) < 0 && has_names(id.cert, host);
    identity_done(&by);
    identity_done(&id);
    return ok;
}

bool authority_is_trusted(const struct pem *authority)
{
    struct identity id;
    bool trusted = false;
    if (read_text(authority, &id) < 0)
        return false;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (store && ctx && X509_STORE_set_default_paths(store) == 1 &&
        X509_STORE_CTX_init(ctx, store, id.cert, NULL) == 1)
        trusted = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    identity_done(&id);
    return trusted;
}
