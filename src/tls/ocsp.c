/* What an authority says of a certificate (OCSP, RFC 6960), from a file: shown to clients that ask, as long as it counts. */
#include "base/text.h"
#include "keys/keys.h"
#include "tbl/limits.h"
#include "tls/machine.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SKEW_S 300 /* between the authority's clock and ours */

static int wrong(char *why, size_t why_size, const char *file, const char *what)
{
    struct text t;
    text_init(&t, why, why_size);
    text_fmt(&t, "cannot use the OCSP response %s: %s", file, what);
    text_end(&t);
    ERR_clear_error();
    return -EINVAL;
}

/* Who has signed the certificate, out of its chain; itself, maybe. NULL: it is not there. */
static X509 *issuer_of(X509 *cert, STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (X509_check_issued(sk_X509_value(chain, i), cert) == X509_V_OK)
            return sk_X509_value(chain, i);
    return X509_check_issued(cert, cert) == X509_V_OK ? cert : NULL;
}

static bool is_of(const OCSP_SINGLERESP *single, const X509 *cert, const X509 *issuer)
{
    ASN1_OBJECT *digest;
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
    if (OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)id) != 1)
        return false;
    const EVP_MD *md = EVP_get_digestbyobj(digest);
    OCSP_CERTID *own = md ? OCSP_cert_to_id(md, cert, issuer) : NULL;
    bool same = own && OCSP_id_cmp(own, id) == 0;
    OCSP_CERTID_free(own);
    return same;
}

static bool seconds(const ASN1_GENERALIZEDTIME *at, int64_t *out)
{
    struct tm tm;
    if (!at || ASN1_TIME_to_tm(at, &tm) != 1)
        return false;
    *out = timegm(&tm);
    return true;
}

/* NULL: it is right, and the times are filled in. */
static const char *look_at(OCSP_BASICRESP *basic, struct tls_site *site)
{
    STACK_OF(X509) *chain = NULL;
    X509 *cert = SSL_CTX_get0_certificate(site->ctx);
    SSL_CTX_get0_chain_certs(site->ctx, &chain);
    X509 *issuer = issuer_of(cert, chain);
    if (!issuer)
        return "the certificate's file does not hold its issuer, by which it could be checked";
    X509_STORE *store = X509_STORE_new();
    bool ok = store && X509_STORE_add_cert(store, issuer) == 1 &&
              X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
              OCSP_basic_verify(basic, chain, store, 0) == 1;
    X509_STORE_free(store);
    if (!ok)
        return "its signature is not the issuer's";
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        ASN1_GENERALIZEDTIME *from, *until;
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (!is_of(single, cert, issuer))
            continue;
        if (OCSP_single_get0_status(single, NULL, NULL, &from, &until) != V_OCSP_CERTSTATUS_GOOD)
            return "it does not say that the certificate is good";
        if (!seconds(from, &site->ocsp_from_s) || !seconds(until, &site->ocsp_until_s))
            return "it does not say until when it counts";
        return NULL;
    }
    return "it is of another certificate";
}

int ocsp_load(struct tls_site *site, const char *file, char *why, size_t why_size)
{
    char *text;
    int len = keys_read_bytes(file, LIMIT_TLS_OCSP, &text);
    if (len < 0)
        return wrong(why, why_size, file, strerrordesc_np(-len));
    const unsigned char *at = (const unsigned char *)text;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, len);
    OCSP_BASICRESP *basic = NULL;
    const char *what = "it is none (DER is wanted)";
    if (response && OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        what = "the authority had no answer";
    else if (response && (basic = OCSP_response_get1_basic(response)))
        what = look_at(basic, site);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    if (what) {
        free(text);
        return wrong(why, why_size, file, what);
    }
    ERR_clear_error();
    site->ocsp = (uint8_t *)text;
    site->ocsp_len = (size_t)len;
    return 0;
}

int ocsp_show(SSL *ssl, void *arg)
{
    const struct tls_site *site = arg;
    const struct link *link = SSL_get_app_data(ssl);
    const struct weir_tls *tls = link_tls(link);
    int64_t now = (int64_t)link_wall_s(link);
    if (!site->ocsp)
        return SSL_TLSEXT_ERR_NOACK;
    if (now + SKEW_S < site->ocsp_from_s || now >= site->ocsp_until_s) {
        tls_say_once(tls, (uint64_t)site->ocsp_until_s,
                     "an OCSP response has expired and is not sent any more: fetch another");
        return SSL_TLSEXT_ERR_NOACK;
    }
    uint8_t *copy = OPENSSL_memdup(site->ocsp, site->ocsp_len); /* freed with the connection */
    if (!copy)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)site->ocsp_len);
    return SSL_TLSEXT_ERR_OK;
}
