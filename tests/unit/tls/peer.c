#include "peer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

static char folder[] = "/tmp/weir-tls-XXXXXX";
static char cert_path[2][64], key_path[2][64];
static unsigned kind; /* 1: RSA */

void peer_keys_are_rsa(bool rsa)
{
    kind = rsa;
}

static void remove_files(void)
{
    for (unsigned i = 0; i < 2; i++) {
        unlink(cert_path[i]);
        unlink(key_path[i]);
    }
    rmdir(folder);
}

static X509 *make_cert(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void make_files(void)
{
    if (cert_path[kind][0])
        return;
    if (!cert_path[!kind][0]) {
        assert_non_null(mkdtemp(folder));
        atexit(remove_files);
    }
    snprintf(cert_path[kind], sizeof(cert_path[kind]), "%s/cert%u.pem", folder, kind);
    snprintf(key_path[kind], sizeof(key_path[kind]), "%s/key%u.pem", folder, kind);
    EVP_PKEY *key = kind ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *cert = make_cert(key);
    FILE *to = fopen(cert_path[kind], "w");
    PEM_write_X509(to, cert);
    fclose(to);
    to = fopen(key_path[kind], "w");
    PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL);
    fclose(to);
    X509_free(cert);
    EVP_PKEY_free(key);
}

const char *peer_cert(void)
{
    make_files();
    return cert_path[kind];
}

const char *peer_key(void)
{
    make_files();
    return key_path[kind];
}

struct weir_tls *peer_server(const struct weir_protocol *protocol, const void *config)
{
    const struct weir_tls_cert cert = {peer_cert(), peer_key()};
    const struct weir_tls_options options = {
        .certs = &cert, .cert_count = 1, .alpn = "x", .protocol = protocol, .config = config};
    struct weir_tls *tls;
    char why[200];
    if (weir_tls_new(&options, &tls, why, sizeof(why)) < 0)
        fail_msg("%s", why);
    return tls;
}

void peer_connect(struct peer *peer, struct sim *sim, const struct weir_tls *tls, int version)
{
    *peer = (struct peer){.sim = sim, .ctx = SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_min_proto_version(peer->ctx, version);
    SSL_CTX_set_max_proto_version(peer->ctx, version);
    SSL_CTX_load_verify_file(peer->ctx, peer_cert());
    SSL_CTX_set_verify(peer->ctx, SSL_VERIFY_PEER, NULL);
    peer->ssl = SSL_new(peer->ctx);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_connect_state(peer->ssl);
    SSL_set_tlsext_host_name(peer->ssl, "localhost");
    SSL_set1_host(peer->ssl, "localhost");
    peer->end = sim_connect(sim, &weir_tls_machine, tls);
    assert_non_null(peer->end);
}

/* true: something moved. */
static bool carry(struct peer *peer)
{
    char bytes[16384];
    int n;
    bool moved = false;
    while ((n = BIO_read(peer->out, bytes, sizeof(bytes))) > 0) {
        assert_int_equal(sim_send(peer->end, bytes, (size_t)n), 0);
        moved = true;
    }
    run(peer->sim);
    struct weir_bytes output = sim_output(peer->end);
    if (output.len > peer->read) {
        BIO_write(peer->in, output.at + peer->read, (int)(output.len - peer->read));
        peer->read = output.len;
        moved = true;
    }
    return moved;
}

void peer_move(struct peer *peer)
{
    do {
        if (!SSL_is_init_finished(peer->ssl))
            (void)SSL_do_handshake(peer->ssl);
    } while (carry(peer));
}

void peer_shake(struct peer *peer)
{
    peer_move(peer);
    if (!SSL_is_init_finished(peer->ssl))
        fail_msg("no handshake");
}

void peer_send(struct peer *peer, const void *bytes, size_t len)
{
    size_t written;
    assert_int_equal(SSL_write_ex(peer->ssl, bytes, len, &written), 1);
    assert_int_equal(written, len);
    peer_move(peer);
}

size_t peer_take(struct peer *peer, void *to, size_t size)
{
    size_t all = 0, len;
    peer_move(peer);
    while (all < size && SSL_read_ex(peer->ssl, (uint8_t *)to + all, size - all, &len) == 1)
        all += len;
    peer->ended = SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN;
    return all;
}

void peer_done(struct peer *peer)
{
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->ctx);
    sim_free(peer->sim);
}
