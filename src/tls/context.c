/* Settings, certificates and names: all that is known before the first connection. docs/tls.md lists and explains them. */
#include "base/text.h"
#include "keys/keys.h"
#include "tbl/limits.h"
#include "tls/machine.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Mozilla's "intermediate", without its three DHE suites. TLS 1.3's own three are all there are. */
#define CIPHERS                                                                                    \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"     \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
/* Of those that are all good the cheapest first; a client that likes ChaCha20 best, since it has no AES in hardware, gets that. */
#define CIPHERS_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS     "X25519:P-256:P-384"

int context_complain(char *why, size_t size, const char *what, const char *file)
{
    struct text t;
    unsigned long code = ERR_peek_last_error();
    int error = ERR_GET_LIB(code) == ERR_LIB_SYS ? ERR_GET_REASON(code) : 0;
    for (unsigned long any; !error && (any = ERR_get_error());)
        error = ERR_GET_LIB(any) == ERR_LIB_SYS ? ERR_GET_REASON(any) : 0;
    const char *reason = error ? strerrordesc_np(error) : ERR_reason_error_string(code);
    text_init(&t, why, size);
    text_fmt(&t, "%s %s: %s", what, file, reason ? reason : "it holds none");
    text_end(&t);
    ERR_clear_error();
    return error ? -error : -EINVAL;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int encrypt)
{
    const struct link *link = SSL_get_app_data(ssl);
    int rc =
        tickets_key(link_tls(link)->tickets, link_wall_s(link), name, iv, cipher, mac, encrypt);
    /* A ticket of TLS 1.3 is for one use, so whoever shows one gets another (RFC 8446 appendix C.4). */
    return rc == 1 && !encrypt && SSL_version(ssl) == TLS1_3_VERSION ? 2 : rc;
}

/* A client that offers none of ours is refused (RFC 7301 section 3.2); one that offers nothing at all never gets here. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned len, void *arg)
{
    const struct weir_tls *tls = arg;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, tls->alpn, tls->alpn_len, offered, len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int on_name(SSL *ssl, int *alert, void *arg)
{
    const struct tls_sites *sites = link_sites(SSL_get_app_data(ssl));
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert, (void)arg;
    for (size_t i = 0; name && i < sites->count; i++) {
        if (X509_check_host(SSL_CTX_get0_certificate(sites->at[i].ctx), name, 0, 0, NULL) != 1)
            continue;
        if (i > 0)
            SSL_set_SSL_CTX(ssl, sites->at[i].ctx);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

/* A signature with P-256 is made in 26 us; RSA-2048 takes 0.8 ms, RSA-4096 5 ms, P-384 1 ms (docs/tls.md). */
static bool is_dear(const SSL *ssl)
{
    const struct link *link = SSL_get_app_data(ssl);
    EVP_PKEY *key = SSL_get_privatekey(ssl);
    char group[16] = "";
    size_t len;
    if (link_tls(link)->keys)
        return true; /* another process is to be waited for */
    if (!key || EVP_PKEY_is_a(key, "ED25519"))
        return false;
    return !EVP_PKEY_is_a(key, "EC") ||
           EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1 ||
           strcmp(group, SN_X9_62_prime256v1) != 0;
}

/* RSA with more than 2048 bits takes four times as long. */
static bool is_brief(const SSL *ssl)
{
    const struct link *link = SSL_get_app_data(ssl);
    const EVP_PKEY *key = SSL_get_privatekey(ssl);
    return !link_tls(link)->keys && key && EVP_PKEY_is_a(key, "RSA") &&
           EVP_PKEY_get_bits(key) <= 2048;
}

/* Asked when a whole handshake is to be made, before its expensive half. -1: not on this thread. */
static int on_cert(SSL *ssl, void *arg)
{
    (void)arg;
    struct link *link = SSL_get_app_data(ssl);
    bool slow_group = SSL_get_negotiated_group(ssl) == NID_secp384r1;
    if (!link_may_lend(link) || !(slow_group || is_dear(ssl)))
        return 1;
    link->brief = !slow_group && is_brief(ssl);
    return -1;
}

/* The first group a client has a share of is the one that is used (TLS 1.3); also when it resumes a session, where nothing is signed. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
    static const uint8_t p384[] = {0, 24};
    const unsigned char *shares;
    size_t len;
    (void)alert, (void)arg;
    if (link_may_lend(SSL_get_app_data(ssl)) &&
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_key_share, &shares, &len) == 1 && len >= 4 &&
        memcmp(shares + 2, p384, sizeof(p384)) == 0)
        return SSL_CLIENT_HELLO_RETRY;
    return SSL_CLIENT_HELLO_SUCCESS;
}

static bool set_common(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* A connection at rest holds no buffers; and the chain is what the file says, not looked for again in every handshake. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 && SSL_CTX_set1_groups_list(ctx, GROUPS) == 1;
}

static bool set_server(SSL_CTX *ctx, const struct weir_tls *tls)
{
    static const uint8_t id[] =
        "weir"; /* a ticket is for any site; OpenSSL checks the name in it */
    SSL_CTX_set_timeout(ctx, LIMIT_TLS_TICKET_S);
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* One a connection, not two: a client with several of them has several, and each that is used is made up for. */
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    SSL_CTX_set_cert_cb(ctx, on_cert, NULL);
    SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
    if (tls->alpn_len > 0)
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, (void *)tls);
    return SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) == 1 &&
           SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1;
}

/* Whom to believe: a server that names authorities asks clients for a certificate, a client always asks. */
static int set_trust(SSL_CTX *ctx, const struct weir_tls *tls, char *why, size_t why_size)
{
    const char *file = tls->authorities;
    if (file && SSL_CTX_load_verify_file(ctx, file) != 1)
        return context_complain(why, why_size, "cannot use the authorities in", file);
    if (!tls->peer_name) {
        if (file) {
            /* A session that is resumed is not verified: it would outlive its certificate, and its authority. So there are none. */
            SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
            SSL_CTX_set_num_tickets(ctx, 0);
            SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(file));
            SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        }
        return 0;
    }
    if (!file && SSL_CTX_set_default_verify_paths(ctx) != 1)
        return context_complain(why, why_size, "cannot use the authorities of", "this system");
    SSL_CTX_set_verify(ctx, tls->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       tls->complaint ? client_verify : NULL);
    return 0;
}

int context_set_up(const struct weir_tls *tls, SSL_CTX *ctx, char *why, size_t why_size)
{
    bool client = tls->peer_name != NULL;
    if (!set_common(ctx) || (!client && !set_server(ctx, tls)))
        return context_complain(why, why_size, "cannot set up", "TLS");
    if (client && tls->alpn_len > 0 && SSL_CTX_set_alpn_protos(ctx, tls->alpn, tls->alpn_len) != 0)
        return -ENOMEM;
    return set_trust(ctx, tls, why, why_size);
}

/* One more way, its name behind those that are there; NULL: it has none. */
static int add_way(struct weir_tls *tls, struct weir_tls_way *at, const struct weir_tls_way *way)
{
    size_t len = way->alpn ? strlen(way->alpn) : 0;
    if (len > UINT8_MAX || tls->alpn_len + len + 1 > sizeof(tls->alpn))
        return -E2BIG;
    *at = *way;
    at->alpn = NULL; /* it may be gone by then */
    if (len == 0)
        return 0;
    at->alpn = (const char *)tls->alpn + tls->alpn_len + 1;
    tls->alpn[tls->alpn_len] = (uint8_t)len;
    memcpy(tls->alpn + tls->alpn_len + 1, way->alpn, len);
    tls->alpn_len += (unsigned)len + 1;
    return 0;
}

static int add_ways(struct weir_tls *tls, const struct weir_tls_options *options)
{
    const struct weir_tls_way last = {options->alpn, options->protocol, options->config};
    if (options->way_count >= LIMIT_TLS_WAYS)
        return -E2BIG;
    int rc = 0;
    for (size_t i = 0; i < options->way_count && rc == 0; i++)
        rc = add_way(tls, &tls->ways[1 + i], &options->ways[i]);
    tls->way_count = 1 + options->way_count;
    return rc < 0 ? rc : add_way(tls, &tls->ways[0], &last);
}

const struct weir_tls_way *context_way(const struct weir_tls *tls, const SSL *ssl)
{
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(ssl, &name, &len);
    for (size_t i = 0; len > 0 && i < tls->way_count; i++) {
        const char *alpn = tls->ways[i].alpn;
        if (alpn && (uint8_t)alpn[-1] == len && memcmp(alpn, name, len) == 0)
            return &tls->ways[i];
    }
    return &tls->ways[0];
}

static bool copy_name(char **to, const char *name)
{
    *to = name ? strdup(name) : NULL;
    return !name || *to;
}

static bool copy_files(struct weir_tls *tls, const struct weir_tls_options *options)
{
    bool ok = copy_name(&tls->authorities, options->authorities);
    for (size_t i = 0; i < options->cert_count && ok; i++)
        ok = copy_name(&tls->files[i].cert, options->certs[i].cert) &&
             copy_name(&tls->files[i].key, options->certs[i].key) &&
             copy_name(&tls->files[i].ocsp, options->ocsp ? options->ocsp[i] : NULL);
    return ok;
}

/* What a server has beside its certificates. */
static int set_shared(struct weir_tls *tls, const struct weir_tls_options *options)
{
    const char *names[LIMIT_TLS_CERTS];
    tls->tickets = tickets_new();
    void *said =
        mmap(NULL, sizeof(*tls->said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    tls->said = said != MAP_FAILED ? said : NULL;
    if (!tls->tickets || !tls->said)
        return -ENOMEM;
    for (size_t i = 0; i < tls->site_count; i++)
        names[i] = tls->files[i].key;
    return options->key_process ? keys_new(names, tls->site_count, &tls->keys) : 0;
}

static int fill_in(struct weir_tls *tls, const struct weir_tls_options *options, char *why,
                   size_t why_size)
{
    size_t count = options->cert_count > 0 ? options->cert_count : 1;
    int rc = count > LIMIT_TLS_CERTS ? -E2BIG : add_ways(tls, options);
    if (rc < 0)
        return rc;
    tls->insecure = options->insecure;
    tls->alpn_needed = options->alpn_needed;
    if (options->explain && !(tls->complaint = calloc(1, TLS_COMPLAINT_BYTES)))
        return -ENOMEM;
    tls->say = options->say;
    tls->say_arg = options->say_arg;
    tls->bio = machine_bio_method();
    tls->files = calloc(count, sizeof(*tls->files));
    tls->site_count = count;
    if (!tls->bio || !tls->files || !copy_files(tls, options) ||
        !copy_name(&tls->peer_name, options->peer_name))
        return -ENOMEM;
    rc = tls->peer_name ? 0 : set_shared(tls, options);
    return rc < 0 ? rc : sites_load(tls, true, &tls->sites, why, why_size);
}

static const char *wrong_options(const struct weir_tls_options *options)
{
    if (!options->peer_name && options->cert_count == 0)
        return "a server needs a certificate and its key";
    for (size_t i = 0; options->key_process && i < options->cert_count; i++)
        if (!options->certs[i].key)
            return "a process for keys needs each of them in a file of its own";
    return NULL;
}

int weir_tls_new(const struct weir_tls_options *options, struct weir_tls **out, char *why,
                 size_t why_size)
{
    const char *wrong = wrong_options(options);
    struct weir_tls *tls = wrong ? NULL : calloc(1, sizeof(*tls));
    struct text t;
    text_init(&t, why, why_size);
    text_str(&t, wrong ? wrong : "TLS needs more memory than there is");
    text_end(&t);
    if (!tls)
        return wrong ? -EINVAL : -ENOMEM;
    tls->holders = 1;
    pthread_mutex_init(&tls->lock, NULL);
    int rc = fill_in(tls, options, why, why_size);
    if (rc < 0) {
        weir_tls_free(tls);
        return rc;
    }
    *out = tls;
    return 0;
}

void weir_tls_free(struct weir_tls *tls)
{
    if (!tls || --tls->holders > 0)
        return;
    sites_drop(tls->sites);
    for (size_t i = 0; tls->files && i < tls->site_count; i++) {
        free(tls->files[i].cert);
        free(tls->files[i].key);
        free(tls->files[i].ocsp);
    }
    free(tls->files);
    free(tls->authorities);
    keys_free(tls->keys);
    BIO_meth_free(tls->bio);
    tickets_free(tls->tickets);
    if (tls->said)
        munmap(tls->said, sizeof(*tls->said));
    free(tls->peer_name);
    free(tls->complaint);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

struct weir_tls *weir_tls_hold(struct weir_tls *tls)
{
    tls->holders++;
    return tls;
}

const char *weir_tls_complaint(const struct weir_tls *tls)
{
    return tls->complaint ? tls->complaint : "";
}

int weir_tls_keep_keys(struct weir_tls *tls, int stop, void (*say)(void *arg, const char *text),
                       void *arg)
{
    return tls->keys ? keys_run(tls->keys, stop, say, arg) : -EINVAL;
}

static bool is_address(const char *name)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(name);
    ASN1_OCTET_STRING_free(ip);
    return ip != NULL;
}

/* A name is asked for and proved; an address can only be proved (RFC 6066 section 3). What a certificate calls its subject proves nothing
 * (RFC 9110 section 4.3.4). */
static bool expect_peer(SSL *ssl, const char *name)
{
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

SSL *context_new_ssl(const struct weir_tls *tls, struct link *link)
{
    link->sites = sites_hold(tls);
    SSL *ssl = SSL_new(link->sites->at[0].ctx);
    BIO *bio = ssl ? BIO_new(tls->bio) : NULL;
    if (!bio || SSL_set_app_data(ssl, link) != 1) {
        BIO_free(bio);
        SSL_free(ssl);
        return NULL;
    }
    BIO_set_data(bio, link);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    if (!tls->peer_name)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    if (tls->peer_name && !expect_peer(ssl, tls->peer_name)) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}
