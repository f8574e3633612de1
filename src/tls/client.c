/* What is wrong with a server, in words that say what to do. A certificate's own words come from the other side: only what is printable
 * is shown. */
#include "base/text.h"
#include "tls/machine.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define NAMES_SHOWN 6

static void add_shown(struct text *t, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && i < 100; i++)
        text_char(t, bytes[i] > ' ' && bytes[i] < 0x7f ? bytes[i] : '?');
}

static void add_address(struct text *t, const ASN1_OCTET_STRING *ip)
{
    const unsigned char *at = ASN1_STRING_get0_data(ip);
    if (ASN1_STRING_length(ip) == 4) {
        text_fmt(t, "%u.%u.%u.%u", at[0], at[1], at[2], at[3]);
        return;
    }
    for (int i = 0; i + 1 < ASN1_STRING_length(ip); i += 2)
        text_fmt(t, "%s%x", i > 0 ? ":" : "", (unsigned)at[i] << 8 | at[i + 1]);
}

/* Whom a certificate is for. */
static void add_names(struct text *t, const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = names ? sk_GENERAL_NAME_num(names) : 0, shown = 0;
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD)
            continue;
        if (shown++ == NAMES_SHOWN) {
            text_str(t, ", ...");
            break;
        }
        text_str(t, shown > 1 ? ", " : "");
        if (name->type == GEN_IPADD)
            add_address(t, name->d.iPAddress);
        else
            add_shown(t, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                      (size_t)ASN1_STRING_length(name->d.dNSName));
    }
    if (shown == 0)
        text_str(t, "nobody (it has no names)");
    GENERAL_NAMES_free(names);
}

/* Who has signed it: the last part of the name that tells something. */
static void add_issuer(struct text *t, const X509 *cert)
{
    const int parts[] = {NID_commonName, NID_organizationName};
    const X509_NAME *issuer = X509_get_issuer_name(cert);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        int at = X509_NAME_get_index_by_NID(issuer, parts[i], -1);
        if (at < 0)
            continue;
        const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, at));
        const char *bytes = (const char *)ASN1_STRING_get0_data(text);
        for (int k = 0; k < ASN1_STRING_length(text) && k < 100; k++)
            text_char(t, bytes[k] >= ' ' && bytes[k] < 0x7f ? bytes[k] : '?');
        return;
    }
    text_str(t, "somebody without a name");
}

static void add_date(struct text *t, const ASN1_TIME *at)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(at, &tm) == 1)
        text_fmt(t, "%04d-%02d-%02d %02d:%02d UTC", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                 tm.tm_hour, tm.tm_min);
    else
        text_str(t, "an unreadable date");
}

static void explain_cert(struct text *t, const char *peer_name, const X509 *cert, int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        text_str(t, "its certificate expired on ");
        add_date(t, X509_get0_notAfter(cert));
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        text_str(t, "its certificate is valid only from ");
        add_date(t, X509_get0_notBefore(cert));
        text_str(t, " on: is this machine's clock right?");
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        text_fmt(t, "its certificate is not for %.200s but for ", peer_name);
        add_names(t, cert);
        return;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
        text_str(t, "its certificate is signed by \"");
        add_issuer(t, cert);
        text_str(t, "\", which is not trusted here; to trust it, name the file with that "
                    "authority's certificate (--ca FILE, or ?ca=FILE behind the port)");
        return;
    default:
        text_fmt(t, "its certificate cannot be trusted: %s", X509_verify_cert_error_string(error));
    }
}

/* The only moment at which a certificate that is refused can be looked at. */
int client_verify(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const X509 *cert = X509_STORE_CTX_get_current_cert(store);
    const struct weir_tls *tls = link_tls(SSL_get_app_data(ssl));
    struct text t;
    if (good || !cert || tls->insecure || tls->complaint[0])
        return good;
    text_init(&t, tls->complaint, TLS_COMPLAINT_BYTES);
    explain_cert(&t, tls->peer_name, cert, X509_STORE_CTX_get_error(store));
    text_end(&t);
    return good;
}

static const char *alert_text(int reason)
{
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "it wants a certificate of ours (--cert FILE --key FILE)";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return "it does not trust who has signed our certificate";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return "it refused our certificate";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "it found no cipher, or no certificate of ours, that it would take";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
        return "it speaks neither TLS 1.2 nor 1.3";
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
        return "it does not speak the protocol that was asked for (ALPN)";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
        return "it has no certificate for this name";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_UNEXPECTED_MESSAGE:
        return "what it answers is no TLS";
    default:
        return NULL;
    }
}

static void explain_end(struct text *t, const struct machine *m)
{
    text_str(t, m->inner   ? "it was cut off without a close_notify: what came may not be all of it"
                : m->begun ? "it closed the connection in the middle of the handshake"
                           : "it closed the connection without a word of TLS: does it speak TLS?");
}

static void explain_protocol(struct text *t, const struct machine *m)
{
    unsigned long code = ERR_peek_error();
    const char *known = alert_text(ERR_GET_REASON(code));
    const char *reason = ERR_reason_error_string(code);
    if (known)
        text_str(t, known);
    else if (code)
        text_fmt(t, "TLS failed: %s", reason ? reason : "unknown error");
    else
        explain_end(t, m);
}

void client_explain(const struct machine *m, int why)
{
    struct text t;
    char *to = m->link.tls->complaint;
    if (!to || to[0])
        return;
    text_init(&t, to, TLS_COMPLAINT_BYTES);
    if (why == -ENOPROTOOPT)
        text_str(&t, alert_text(SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL));
    else if (why == -EPROTO)
        explain_protocol(&t, m);
    text_end(&t);
}

int client_check(const struct machine *m)
{
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(m->ssl, &name, &len);
    return m->link.tls->alpn_needed && len == 0 ? -ENOPROTOOPT : 0;
}

/* --- a machine that owns its settings: for who is dialled --- */

static void dialled_close(void *state, struct weir_conn *conn, int why)
{
    struct weir_tls *tls = (struct weir_tls *)weir_conn_config(conn);
    machine_close(state, conn, why);
    weir_tls_free(tls);
}

const struct weir_protocol weir_tls_dialled = {
    .name = "tls",
    .state_size = sizeof(struct machine),
    .input_max = 1,
    .open = machine_open,
    .input = machine_input,
    .eof = machine_eof,
    .output = machine_output,
    .expire = machine_expire,
    .leave = machine_leave,
    .close = dialled_close,
};
